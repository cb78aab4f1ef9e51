"""What each event does to a report in each of its states, and what the state then calls for."""

from collections.abc import Callable

import pytest

from services.renderer.report import fold, touched
from shared.evaluations import Usage
from shared.messages import Event, ReportPlanned
from shared.statuses import status_of
from shared.vocabulary import PartStatus, Reason, Status
from tests.builders import REPORT_ID, at
from tests.unit.renderer.folding import (
    OVERVIEW,
    AReport,
    accepted,
    cancelled,
    deadline,
    delayed,
    evaluated,
    failed,
    id_of,
    planned,
    rejected,
    render,
    render_failed,
    rendered,
    seconds_of,
)

# --- every event in every state

STATES: dict[str, Callable[[], AReport]] = {
    "accepted": lambda: AReport().each([accepted()]),
    "evaluating": lambda: AReport().begun(),
    "rendering": lambda: AReport().all_evaluated(),
    "completed": lambda: AReport().all_evaluated().each([rendered()]),
    "completed_with_errors": lambda: (
        AReport().begun().each([failed("7"), evaluated("8"), evaluated(OVERVIEW), rendered()])
    ),
    "failed": lambda: AReport().begun().each([failed("7"), failed("8"), rendered()]),
    "cancelled": lambda: AReport().begun().each([cancelled(), rendered()]),
    "rejected": lambda: AReport().each([accepted(), rejected()]),
}
EVENTS: dict[str, Event] = {
    "accepted": accepted(title="another"),
    "rejected": rejected(),
    "planned": planned(),
    "evaluated": evaluated("7"),
    "failed": failed("7"),
    "delayed": delayed("7"),
    "deadline": deadline(),
    "cancelled": cancelled(),
    "render": render(),
    "rendered": rendered(),
    "render_failed": render_failed(),
}
NOTHING, ENDED, PLAN, BOOK = "nothing", "dropped: ended", "dropped: repeated_plan", "dropped: repeated_workbook"
FINAL = {"evaluated": ENDED, "failed": ENDED, "delayed": ENDED, "deadline": ENDED, "cancelled": ENDED, "planned": PLAN}
FINAL |= {"rendered": BOOK}
TABLE: dict[str, dict[str, str]] = {
    "accepted": FINAL
    | {"rejected": "rejected", "planned": "evaluating", "deadline": "failed", "cancelled": "cancelled"},
    "evaluating": {
        **dict.fromkeys(("evaluated", "failed", "delayed"), "evaluating"),
        "planned": PLAN,
        "deadline": "rendering",
        "cancelled": "rendering",
        "rendered": BOOK,
    },
    "rendering": FINAL | {"rendered": "completed", "render_failed": "rendering"},
    **{status: FINAL | {"render": status} for status in ("completed", "completed_with_errors", "failed", "cancelled")},
    "rejected": FINAL,
}


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_moves_a_report_or_is_dropped_by_name_or_does_nothing(status: str, event: str) -> None:
    report = STATES[status]()
    before = report.report
    assert before.status == status
    folded = report.folds(EVENTS[event])
    expected = TABLE[status].get(event, NOTHING)
    if expected == NOTHING or expected.startswith("dropped"):
        assert folded.change is None
        assert folded.counted == ()
        assert report.report == before
        assert [f"dropped: {why}" for why in folded.dropped] == ([] if expected == NOTHING else [expected])
    else:
        assert folded.change is not None
        assert folded.dropped == ()
        assert report.status == expected
        assert folded.ended is (report.status.is_final and not before.status.is_final)


@pytest.mark.parametrize("event", [event for name, event in EVENTS.items() if name != "accepted"])
def test_an_event_about_an_unknown_report_is_dropped(event: Event) -> None:
    folded = fold(None, {}, [event])
    assert (folded.change, folded.dropped) == (None, ("unknown_report",))


def test_a_step_reads_the_parts_its_events_name_and_the_overview() -> None:
    found = touched(REPORT_ID, [evaluated("7"), failed("8"), delayed("9"), delayed("9"), deadline()])
    assert found == [id_of("7"), id_of("8"), id_of("9"), id_of(OVERVIEW)]


# --- outcomes


def test_the_first_outcome_of_a_part_wins() -> None:
    for first, second in ((evaluated("7", 8), failed("7")), (failed("7"), evaluated("7", 8))):
        report = AReport().begun().each([first])
        before = report.outcome
        assert report.folds(second).dropped == ("repeated",)
        assert report.outcome == before


def test_the_first_outcome_wins_within_one_batch_too() -> None:
    report = AReport().begun()
    folded = report.folds(evaluated("7", 8), evaluated("7", 3), failed("7"))
    assert folded.dropped == ("repeated", "repeated")
    assert [part.score for part in folded.counted] == [8]
    assert (report.part("7").score, report.report.completed, report.report.errored) == (8, 1, 0)


@pytest.mark.parametrize(
    "event", [evaluated("7", generation=2), failed("7", generation=2), deadline(2), cancelled(2), delayed("7", 1, 2)]
)
def test_what_belongs_to_another_generation_is_stale(event: Event) -> None:
    assert AReport().begun().folds(event).dropped == ("stale",)


def test_an_outcome_of_a_part_that_is_not_there_is_dropped() -> None:
    assert AReport().begun().folds(evaluated("9")).dropped == ("unknown_part",)


def test_an_outcome_counts_with_its_verdict_score_usage_and_time() -> None:
    report = AReport(["a", "b", "c", "d"]).begun()
    report.each([evaluated("a", 9), evaluated("b", 4), evaluated("c", None, finished_at=at(5)), failed("d")])
    status = status_of(report.report)
    assert (status.counts.completed, status.counts.errored) == (3, 1)
    assert (status.counts.passed, status.counts.not_passed, status.score) == (1, 1, 6.5)
    assert (status.usage.input_tokens, status.usage.output_tokens, status.usage.cost_usd) == (4_000, 400, 0.004)
    assert seconds_of(status.evaluated_at) == 10


def test_the_time_of_evaluation_is_that_of_the_latest_outcome_whichever_came_last() -> None:
    report = AReport().begun().each([evaluated("7", finished_at=at(50)), evaluated("8", finished_at=at(40))])
    assert report.report.evaluated_at == at(50)


def test_usage_without_a_price_makes_the_reports_cost_unknown() -> None:
    unpriced = Usage(model="llama", input_tokens=10)
    report = AReport().begun().each([failed("7", usage=unpriced), evaluated("8")])
    assert status_of(report.report).usage.cost_usd is None
    assert status_of(report.report).usage.input_tokens == 1_010


def test_a_failure_that_used_nothing_leaves_the_cost_known() -> None:
    report = AReport().begun().each([failed("7", Reason.NO_DATA, usage=Usage(), attempts=0), evaluated("8")])
    assert status_of(report.report).usage.cost_usd == 0.001


# --- delays


def test_a_delayed_part_is_counted_until_its_outcome() -> None:
    report = AReport().begun().each([delayed("7")])
    assert (report.part("7").status, report.part("7").retry_at) == (PartStatus.DELAYED, at(30))
    assert report.part("7").reason is delayed("7").reason
    assert status_of(report.report).counts.delayed == 1
    report.each([delayed("7", 2)])
    assert (report.part("7").retry_at, report.report.delayed) == (at(60), 1)
    report.each([evaluated("7")])
    assert (report.part("7").retry_at, report.part("7").reason, report.report.delayed) == (None, None, 0)


def test_a_delay_that_is_older_than_what_is_known_changes_nothing() -> None:
    report = AReport().begun().each([delayed("7", 2)])
    assert report.folds(delayed("7", 1)).change is None
    assert report.folds(delayed("7", 2)).change is None
    assert report.each([evaluated("7")]).folds(delayed("7", 3)).dropped == ("repeated",)


# --- the overview


def test_a_synthesis_overview_is_due_when_every_piece_has_its_outcome_and_until_it_has_its_own() -> None:
    report = AReport().begun()
    assert not report.due.overview
    assert not report.each([evaluated("7")]).due.overview
    assert report.each([failed("8")]).due.overview
    assert report.status is Status.EVALUATING
    assert not report.each([delayed(OVERVIEW)]).due.overview
    assert not report.each([evaluated(OVERVIEW)]).due.overview
    assert (report.status, report.due.render) == (Status.RENDERING, True)


def test_a_concurrent_overview_is_never_due_and_may_come_first() -> None:
    report = AReport(mode="concurrent").begun().each([evaluated(OVERVIEW), evaluated("7")])
    assert (report.status, report.due.overview) == (Status.EVALUATING, False)
    assert report.each([evaluated("8")]).status is Status.RENDERING


def test_a_concurrent_overview_is_waited_for() -> None:
    report = AReport(mode="concurrent").begun().each([evaluated("7"), evaluated("8")])
    assert (report.status, report.due.overview) == (Status.EVALUATING, False)


def test_where_no_piece_was_judged_the_overview_has_no_data_and_no_task() -> None:
    report = AReport().begun().each([failed("7"), failed("8")])
    assert (report.status, report.due.overview) == (Status.RENDERING, False)
    overview = report.part(OVERVIEW)
    assert (overview.status, overview.reason, overview.retryable) == (PartStatus.ERRORED, Reason.NO_DATA, False)
    assert status_of(report.report).overview is not None
    assert report.report.overview_reason is Reason.NO_DATA
    assert report.each([rendered()]).status is Status.FAILED
    assert report.report.reason == "no part could be judged"


def test_an_overview_that_failed_is_an_error_of_the_report() -> None:
    report = AReport().begun().each([evaluated("7"), evaluated("8"), failed(OVERVIEW, Reason.REFUSED), rendered()])
    assert (report.status, report.report.overview_reason) == (Status.COMPLETED_WITH_ERRORS, Reason.REFUSED)


def test_a_plan_again_does_not_begin_again() -> None:
    report = AReport().begun().each([evaluated("7")])
    before = report.outcome
    again: ReportPlanned = report.plan.model_copy(update={"pieces": 9})
    assert report.folds(again).dropped == ("repeated_plan",)
    assert report.outcome == before


def test_an_overview_cannot_change_what_was_computed() -> None:
    report = AReport().begun().each([evaluated("7", 4.0), evaluated("8", 8.0)])
    before = (report.part("7"), report.part("8"), report.report.score_sum_micro, report.report.scored)
    report.each([evaluated(OVERVIEW, 10.0)])
    assert (report.part("7"), report.part("8"), report.report.score_sum_micro, report.report.scored) == before
    assert status_of(report.report).score == 6.0
