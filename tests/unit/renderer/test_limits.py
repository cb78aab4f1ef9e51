"""What a cost or token limit does to a report: nothing more is begun, and it still ends, renders, and says why."""

from typing import Any

import pytest

from shared.evaluations import Spread, Trials, Usage
from shared.messages import PartFailed, Saved
from shared.statuses import status_of
from shared.vocabulary import PartStatus, Reason, Status
from tests.unit.renderer.folding import OVERVIEW, PRICED, AReport, evaluated, failed, rendered

TOKENS = 1_100  # of one outcome


def limited(**limits: Any) -> AReport:
    return AReport(("a", "b", "c"), **limits).begun()


def unbegun(key: str) -> PartFailed:
    return failed(key, Reason.BUDGET_EXHAUSTED, usage=Usage(), attempts=0)


@pytest.mark.parametrize(
    ("limits", "outcomes", "words"),
    [
        ({}, 2, ""),
        ({"token_limit": 2 * TOKENS + 1}, 2, ""),
        ({"token_limit": 2 * TOKENS}, 2, "the token limit of 2,200 was reached"),
        ({"cost_limit_usd": 0.0020001}, 2, ""),
        ({"cost_limit_usd": 0.002}, 2, "the cost limit of 0.002 USD was reached"),
        ({"cost_limit_usd": 0.001, "token_limit": 1}, 1, "the token limit of 1 was reached"),
    ],
)
def test_a_report_is_exhausted_from_the_outcome_on_that_reaches_its_limit(
    limits: dict[str, Any], outcomes: int, words: str
) -> None:
    report = limited(**limits).each(evaluated(key) for key in ("a", "b")[:outcomes])
    assert report.report.exhausted == words
    assert report.status is Status.EVALUATING
    assert report.report.reason is None


def test_failed_calls_count_towards_a_limit() -> None:
    assert limited(token_limit=TOKENS).each([failed("a")]).report.exhausted


def test_cached_and_reasoning_tokens_are_not_counted_beside_what_they_are_part_of() -> None:
    used = Usage(model="m", input_tokens=100, output_tokens=100, cached_tokens=90, reasoning_tokens=90, cost_usd=0.1)
    report = limited(token_limit=201).each([evaluated("a", usage=used)])
    assert report.report.exhausted == ""
    assert status_of(report.report).usage == used.model_copy(update={"model": None})


def test_a_cost_that_is_not_known_cannot_be_kept_below_a_limit() -> None:
    unpriced = evaluated("a", usage=Usage(model="llama-4", input_tokens=1))
    assert "without a price" in limited(cost_limit_usd=5).each([unpriced]).report.exhausted
    assert limited(token_limit=5).each([unpriced]).report.exhausted == ""


def test_what_was_not_begun_fails_what_runs_is_counted_and_the_report_ends_with_its_reason() -> None:
    report = limited(token_limit=TOKENS).each([evaluated("a"), unbegun("b"), evaluated("c")])
    assert report.due.overview  # its task is published, and refused as well: no rule of its own
    report.each([unbegun(OVERVIEW), rendered()])
    assert report.status is Status.COMPLETED_WITH_ERRORS
    status = status_of(report.report)
    assert status.reason == "the token limit of 1,100 was reached"
    assert (status.usage.input_tokens, status.counts.completed, status.counts.errored) == (2_000, 2, 1)
    assert report.part("b").reason is Reason.BUDGET_EXHAUSTED
    assert report.part(OVERVIEW).status is PartStatus.ERRORED


def test_a_report_that_could_begin_nothing_more_and_completed_nothing_has_failed() -> None:
    report = limited(token_limit=TOKENS).each([failed("a"), unbegun("b"), unbegun("c"), rendered()])
    assert report.status is Status.FAILED
    assert status_of(report.report).reason == "the token limit of 1,100 was reached"


def test_a_limit_that_the_last_outcome_reaches_hinders_nothing_and_is_no_reason() -> None:
    report = limited(token_limit=4 * TOKENS).each([*map(evaluated, ("a", "b", "c", OVERVIEW)), rendered()])
    assert report.report.exhausted
    assert (report.status, report.report.reason) == (Status.COMPLETED, None)


def test_a_retry_gets_no_new_budget_as_sums_are_over_all_generations() -> None:
    report = limited(token_limit=TOKENS).each(
        [evaluated("a"), unbegun("b"), unbegun("c"), unbegun(OVERVIEW), rendered()]
    )
    report.folds(report.plan.model_copy(update={"generation": 2}))
    assert report.status is Status.EVALUATING
    assert report.report.exhausted
    assert report.report.reason is None


def test_an_outcome_of_several_judgements_keeps_how_they_agree() -> None:
    trials = Trials(asked=3, judged=2, failed=(Reason.REFUSED,), score=Spread(name="score", judged=2, mean=7))
    assert limited().each([evaluated("a", trials=trials)]).part("a").trials == trials


def test_what_was_judged_before_costs_nothing_and_its_saving_is_summed() -> None:
    before = [evaluated(key, usage=Usage(), saved=PRICED) for key in ("a", "b")]
    report = limited(token_limit=1).each([*before])
    status = status_of(report.report)
    assert status.usage == Usage(cost_usd=0)
    assert status.saved == Saved(parts=2, usage=Usage(input_tokens=2_000, output_tokens=200, cost_usd=0.002))
    assert report.report.exhausted == ""
    assert report.part("a").saved == PRICED
    assert status_of(limited().report).saved is None


def test_a_saving_without_a_price_is_unpriced() -> None:
    before = evaluated("a", usage=Usage(), saved=Usage(model="llama-4", input_tokens=5))
    saved = status_of(limited().each([before]).report).saved
    assert saved is not None
    assert (saved.usage.input_tokens, saved.usage.cost_usd) == (5, None)


def test_the_status_says_that_nothing_more_is_begun() -> None:
    assert status_of(limited(token_limit=TOKENS).each([evaluated("a")]).report).current_step == (
        "Evaluated 1/3 agents, beginning no more: its limit is reached"
    )
