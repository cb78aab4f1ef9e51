"""How a report ends: in time, early, cancelled, at its first failure, and with its workbook or without one."""

import pytest

from services.renderer.transitions import CANCEL, DEADLINE, FAIL_FAST, End
from shared.messages import Event
from shared.statuses import status_of
from shared.vocabulary import PartStatus, Reason, Status
from tests.builders import a_part, at
from tests.unit.renderer.folding import (
    OVERVIEW,
    AReport,
    accepted,
    cancelled,
    deadline,
    delayed,
    evaluated,
    failed,
    planned,
    render,
    render_failed,
    rendered,
)

# --- before the plan


@pytest.mark.parametrize(
    ("event", "status", "words"),
    [(deadline(), Status.FAILED, "the report's deadline passed"), (cancelled(), Status.CANCELLED, "was cancelled")],
)
def test_a_report_that_ends_before_its_plan_has_no_workbook_and_a_late_plan_does_not_wake_it(
    event: Event, status: Status, words: str
) -> None:
    report = AReport().each([accepted(), event])
    assert report.status is status
    assert words in str(report.report.reason)
    assert report.report.completed_at is not None
    assert not report.due.render
    assert report.folds(planned()).dropped == ("repeated_plan",)
    assert report.folds(render()).change is None


# --- while it is evaluated


def test_at_the_deadline_what_has_not_arrived_is_a_failed_part_with_that_reason() -> None:
    report = AReport(["a", "b", "c"]).begun().each([evaluated("a"), delayed("b"), deadline()])
    assert report.status is Status.RENDERING
    for key in ("b", "c", OVERVIEW):
        part = report.part(key)
        assert (part.status, part.reason, part.retryable) == (PartStatus.ERRORED, Reason.DEADLINE_PASSED, True)
        assert (part.finished_at, part.retry_at) == (at(906), None)
    assert report.part("a").status is PartStatus.COMPLETED
    assert report.folds(evaluated("b")).dropped == ("ended",)
    assert report.each([rendered()]).status is Status.COMPLETED_WITH_ERRORS


def test_a_deadline_that_finds_nothing_judged_fails_the_report() -> None:
    report = AReport().begun().each([deadline(), rendered()])
    assert (report.status, report.report.reason) == (Status.FAILED, "the report's deadline passed")
    assert report.report.workbook is not None


def test_a_cancelled_report_keeps_what_was_judged_and_gets_its_workbook() -> None:
    report = AReport().begun().each([evaluated("7"), cancelled()])
    assert (report.part("8").status, report.part("8").reason) == (PartStatus.CANCELLED, Reason.CANCELLED)
    assert (report.report.completed, report.report.cancelled) == (1, 1)
    assert report.report.overview is PartStatus.CANCELLED
    assert report.due.render
    assert report.each([rendered()]).status is Status.CANCELLED


def test_the_first_end_holds() -> None:
    report = AReport().begun().each([cancelled()])
    before = report.outcome
    assert report.folds(deadline(), cancelled(), evaluated("7")).dropped == ("ended",) * 3
    assert report.outcome == before


def test_an_outcome_and_an_end_in_one_batch_are_taken_in_their_order() -> None:
    report = AReport(["a", "b"]).begun()
    report.folds(evaluated("a"), delayed("b"), cancelled(), evaluated("b"))
    assert (report.part("a").status, report.part("b").status) == (PartStatus.COMPLETED, PartStatus.CANCELLED)


def test_with_fail_fast_the_first_failed_part_ends_the_report() -> None:
    report = AReport(["a", "b", "c"], fail_fast=True).begun().each([evaluated("a"), failed("b")])
    assert report.status is Status.RENDERING
    assert (report.part("b").status, report.part("c").status) == (PartStatus.ERRORED, PartStatus.CANCELLED)
    assert report.report.reason == "ended by the first failed part (fail_fast)"
    assert report.each([rendered()]).status is Status.FAILED


def test_with_fail_fast_and_no_failure_a_report_completes() -> None:
    assert AReport(fail_fast=True).all_evaluated().each([rendered()]).status is Status.COMPLETED


def test_without_fail_fast_a_failed_part_ends_nothing() -> None:
    assert AReport().begun().each([failed("7")]).status is Status.EVALUATING


@pytest.mark.parametrize("end", [DEADLINE, CANCEL, FAIL_FAST], ids=["deadline", "cancel", "fail_fast"])
def test_a_part_that_is_closed_by_itself_is_what_the_sweep_makes_of_the_others(end: End) -> None:
    closed, sweep = end.close(a_part(), at(5)), end.sweep(at(5))
    assert (closed.status, closed.reason, closed.detail) == (sweep.status, sweep.reason, sweep.detail)
    assert (closed.retryable, closed.finished_at) == (sweep.retryable, sweep.at)


# --- the workbook


def test_a_report_is_completed_when_its_workbook_is_stored() -> None:
    report = AReport().all_evaluated()
    assert (report.report.completed_at, report.due.render) == (None, True)
    report.each([rendered()])
    status = status_of(report.report)
    assert (status.status, status.seconds, status.reason) == (Status.COMPLETED, 60, None)
    assert status.workbook is not None
    assert (status.workbook.sha256, status.workbook.bytes) == ("ab", 10)
    assert not report.due.render


def test_a_workbook_stored_twice_changes_nothing() -> None:
    report = AReport().all_evaluated().each([rendered()])
    assert report.folds(rendered(file_id="file-2")).dropped == ("repeated_workbook",)
    assert report.folds(rendered(generation=2)).dropped == ("repeated_workbook",)


def test_a_workbook_that_cannot_be_built_three_times_fails_the_report() -> None:
    report = AReport().all_evaluated().each([render_failed(1), render_failed(2)])
    assert (report.status, report.due.render) == (Status.RENDERING, True)
    report.each([render_failed(3)])
    assert (report.status, report.due.render) == (Status.FAILED, False)
    assert report.report.reason == "the workbook could not be built: disk full"
    assert report.report.workbook is None


def test_the_same_failure_said_twice_counts_once() -> None:
    report = AReport().all_evaluated().each([render_failed(1), render_failed(1), render_failed(1), render_failed(1)])
    assert report.status is Status.RENDERING


@pytest.mark.parametrize("ending", [(), (evaluated("7"), cancelled())], ids=["completed", "cancelled"])
def test_building_the_workbook_again_leaves_the_status_and_the_time_of_the_end(ending: tuple[Event, ...]) -> None:
    report = AReport().begun().each(ending) if ending else AReport().all_evaluated()
    report.each([rendered()])
    before = report.report
    assert report.each([render()]).due.render
    assert (report.status, status_of(report.report).progress) == (before.status, 100)
    report.each([rendered(file_id="file-2")])
    assert (report.status, report.report.completed_at) == (before.status, before.completed_at)
    assert report.report.workbook is not None
    assert report.report.workbook.file_id == "file-2"
    assert not report.due.render


def test_building_it_again_in_vain_ends_after_three_times_and_keeps_the_old_workbook() -> None:
    report = AReport().all_evaluated().each([rendered(), render(), *map(render_failed, (1, 2, 3))])
    assert (report.status, report.due.render) == (Status.COMPLETED, False)
    assert report.report.workbook is not None


def test_a_report_that_failed_for_its_workbook_alone_can_be_given_one_later() -> None:
    report = AReport().all_evaluated().each([*map(render_failed, (1, 2, 3)), render()])
    assert report.due.render
    report.each([rendered()])
    assert report.report.workbook is not None
    assert report.status is Status.FAILED
