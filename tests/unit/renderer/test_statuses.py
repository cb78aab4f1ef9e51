"""What a report's state says to the world."""

from typing import Any

import pytest

from shared.state import Report
from shared.statuses import final_status, headline_score, status_of
from shared.vocabulary import Kind, PartStatus, Reason, Status
from tests.builders import NOON, a_report, at


def report(**changes: Any) -> Report:
    """Seven agents, none of which has an outcome."""
    return a_report(**{"status": Status.EVALUATING, "pieces": 7, "overview": PartStatus.PENDING, **changes})


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"completed": 7}, Status.COMPLETED),
        ({"completed": 6, "errored": 1}, Status.COMPLETED_WITH_ERRORS),
        ({"completed": 6, "cancelled": 1}, Status.COMPLETED_WITH_ERRORS),
        ({"completed": 7, "overview": PartStatus.ERRORED}, Status.COMPLETED_WITH_ERRORS),
        ({"completed": 7, "overview": PartStatus.CANCELLED}, Status.COMPLETED_WITH_ERRORS),
        ({"errored": 7}, Status.FAILED),
        ({"errored": 7, "overview": PartStatus.ERRORED}, Status.FAILED),
        ({"completed": 7, "ends_as": Status.CANCELLED}, Status.CANCELLED),
        ({"completed": 6, "errored": 1, "ends_as": Status.FAILED}, Status.FAILED),
    ],
)
def test_failures_are_never_hidden_in_a_plain_completed(changes: dict[str, Any], status: Status) -> None:
    assert final_status(report(**{"overview": PartStatus.COMPLETED, **changes})) is status


@pytest.mark.parametrize(
    ("changes", "progress", "step"),
    [
        ({"status": Status.ACCEPTED, "pieces": 0, "overview": None}, 0, "Planning"),
        ({}, 0, "Evaluated 0/7 agents"),
        ({"completed": 3, "errored": 1}, 34.29, "Evaluated 4/7 agents"),
        ({"completed": 3, "delayed": 2}, 25.71, "Evaluated 3/7 agents, 2 waiting to try again"),
        ({"completed": 7}, 60, "Evaluated 7/7 agents, judging the overview"),
        ({"overview": PartStatus.COMPLETED}, 30, "Evaluated 0/7 agents"),
        ({"kind": Kind.REVIEWS, "completed": 2}, 17.14, "Evaluated 2/7 languages"),
        ({"status": Status.RENDERING, "completed": 7, "overview": PartStatus.ERRORED}, 90, "Building the workbook"),
        ({"status": Status.COMPLETED, "completed": 7}, 100, "Completed: 7 agents"),
        (
            {"status": Status.COMPLETED_WITH_ERRORS, "completed": 5, "errored": 1, "cancelled": 1},
            100,
            "Completed with errors: 2 of 7 agents failed",
        ),
        ({"status": Status.COMPLETED_WITH_ERRORS, "completed": 7}, 100, "Completed with errors: the overview failed"),
        ({"status": Status.FAILED}, 100, "Failed"),
        ({"status": Status.CANCELLED}, 100, "Cancelled"),
        ({"status": Status.REJECTED, "pieces": 0, "overview": None}, 100, "Rejected"),
    ],
)
def test_progress_is_said_in_per_cent_and_in_words(changes: dict[str, Any], progress: float, step: str) -> None:
    status = status_of(report(**changes))
    assert (status.progress, status.current_step) == (progress, step)


def test_the_headline_score_is_the_mean_of_the_scored_agents_and_unknown_without_any() -> None:
    assert headline_score(report(scored=3, score_sum_micro=20_000_000)) == 6.6667
    assert headline_score(report()) is None


def test_pending_is_what_has_no_outcome_and_does_not_wait() -> None:
    counts = status_of(report(completed=2, errored=1, delayed=1, passed=1, not_passed=1)).counts
    assert (counts.total, counts.pending, counts.delayed) == (7, 3, 1)
    assert (counts.passed, counts.not_passed) == (1, 1)


def test_languages_have_no_verdict_to_count() -> None:
    counts = status_of(report(kind=Kind.REVIEWS, completed=2)).counts
    assert (counts.passed, counts.not_passed) == (None, None)


def test_cost_is_in_dollars_and_unknown_where_some_usage_had_no_price() -> None:
    known = report(cost_nano=1_234_500_000, input_tokens=10, output_tokens=5, cached_tokens=2)
    assert status_of(known).usage.cost_usd == 1.2345
    assert status_of(known).usage.cached_tokens == 2
    assert status_of(known.model_copy(update={"unpriced": True})).usage.cost_usd is None
    assert status_of(report()).usage.cost_usd == 0


def test_seconds_run_from_acceptance_to_the_end() -> None:
    assert status_of(report()).seconds is None
    assert status_of(report(accepted_at=NOON, completed_at=at(12.5))).seconds == 12.5


def test_the_overviews_reason_is_said() -> None:
    overview = status_of(report(overview=PartStatus.ERRORED, overview_reason=Reason.REFUSED)).overview
    assert overview is not None
    assert (overview.status, overview.reason) == (PartStatus.ERRORED, Reason.REFUSED)
    assert status_of(report(overview=None)).overview is None
