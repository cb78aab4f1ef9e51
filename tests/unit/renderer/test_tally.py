"""What a fold step is counted as."""

from services.renderer.report import fold, touched
from services.renderer.tally import Decided, decided, in_time
from shared.messages import Event
from shared.vocabulary import PartStatus, Reason, Role
from tests.builders import REPORT_ID, at
from tests.unit.renderer.folding import OVERVIEW, AReport, cancelled, deadline, evaluated, failed, rendered


def told(report: AReport, *events: Event) -> list[Decided]:
    read = {name: report.parts[name] for name in touched(REPORT_ID, events) if name in report.parts}
    return [*decided(report.state, fold(report.state, read, events))]


def test_each_outcome_counts_once() -> None:
    report = AReport().begun()
    assert told(report, evaluated("7"), evaluated("7"), failed("8", Reason.REFUSED)) == [
        Decided(Role.AGENT, PartStatus.COMPLETED, None, 1),
        Decided(Role.AGENT, PartStatus.ERRORED, Reason.REFUSED, 1),
    ]


def test_what_a_passed_deadline_sweeps_up_is_counted_with_its_reason() -> None:
    report = AReport(("1", "2", "3")).begun().each([evaluated("1")])
    assert told(report, failed("2"), deadline()) == [
        Decided(Role.AGENT, PartStatus.ERRORED, Reason.TIMED_OUT, 1),
        Decided(Role.AGENT, PartStatus.ERRORED, Reason.DEADLINE_PASSED, 1),
        Decided(Role.OVERVIEW, PartStatus.ERRORED, Reason.DEADLINE_PASSED, 1),
    ]


def test_an_overview_that_was_judged_is_not_swept_up_again() -> None:
    report = AReport(mode="concurrent").begun().each([evaluated(OVERVIEW)])
    assert told(report, cancelled()) == [Decided(Role.AGENT, PartStatus.CANCELLED, Reason.CANCELLED, 2)]


def test_a_report_is_in_time_when_its_workbook_is_there_before_its_deadline() -> None:
    done = AReport().all_evaluated().each([rendered()]).report
    assert in_time(done) is True
    assert in_time(done.model_copy(update={"deadline_at": at(-1)})) is False


def test_a_report_without_a_workbook_is_not_in_time() -> None:
    done = AReport().all_evaluated().each([rendered()]).report
    assert in_time(done.model_copy(update={"workbook": None})) is False


def test_nobody_was_late_where_somebody_ended_the_report() -> None:
    assert in_time(AReport().begun().each([cancelled(), rendered()]).report) is None
    assert in_time(AReport().begun().report) is None
