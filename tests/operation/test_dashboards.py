"""The dashboards ask for what there is."""

import json

import pytest

from tests.operation.dashboards import DASHBOARDS, Expression, expressions, labels_by_metric

OF_THE_SCRAPE = {"le", "room"}  # labels that Prometheus adds: a histogram's bound, and the relabelling's
OF_FASTSTREAM = {"handler", "destination"}


@pytest.mark.parametrize("expression", expressions(), ids=lambda expression: expression.panel)
def test_each_panel_asks_for_metrics_and_labels_that_exist(expression: Expression) -> None:
    known = labels_by_metric()
    assert expression.metrics <= known.keys()
    wanted = expression.grouping - OF_THE_SCRAPE - OF_FASTSTREAM
    assert all(wanted <= known[metric] for metric in expression.metrics)


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            assert panel["description"], panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_dashboards_have_ids_of_their_own() -> None:
    ids = [json.loads(path.read_text("utf-8"))["uid"] for path in DASHBOARDS]
    assert len({*ids}) == len(ids) == 2
