"""What the audit sees."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.renderer.report import fold, touched
from shared.evaluations import Part
from shared.messages import (
    Event,
    PartFailed,
    ReportAccepted,
    ReportPlanned,
    ReportStatus,
    WorkbookRendered,
)
from shared.state import Report
from shared.statuses import status_of
from shared.store.ledger import StoredOutcome
from shared.vocabulary import Kind, Lane, PartStatus, Reason, Role, Status
from tests.chaos import audit
from tests.chaos.evidence import Evidence

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PART = "r1/agent/7"


def failed(part_id: str = PART, detail: str = "refused") -> PartFailed:
    return PartFailed(
        report_id="r1",
        part_id=part_id,
        generation=1,
        reason=Reason.REFUSED,
        detail=detail,
        attempts=1,
        retryable=False,
        seconds=1,
        finished_at=NOW,
    )


BEGINNING: tuple[Event, ...] = (
    ReportAccepted(report_id="r1", kind=Kind.AGENTS, title="", accepted_at=NOW, deadline_at=NOW + timedelta(minutes=1)),
    ReportPlanned(
        report_id="r1",
        pieces=1,
        overview="synthesis",
        lane=Lane.SMALL,
        planned_at=NOW,
        deadline_at=NOW + timedelta(minutes=1),
    ),
)
END = WorkbookRendered(report_id="r1", generation=1, file_id="f", sha256="s", bytes=1, seconds=1, at=NOW)
EVENTS: tuple[Event, ...] = (*BEGINNING, failed(), END)
PLANNED = {
    PART: Part(part_id=PART, report_id="r1", role=Role.AGENT, key="7", name="Ann"),
    "r1/overview/overview": Part(
        part_id="r1/overview/overview", report_id="r1", role=Role.OVERVIEW, key="overview", name="Overview", index=1
    ),
}


def evidence(**changes: Any) -> Evidence:
    """A report whose only agent was refused, as it should be."""
    report: Report | None = None
    parts, statuses = dict(PLANNED), []
    for event in EVENTS:
        change = fold(report, {name: parts[name] for name in touched("r1", [event]) if name in parts}, [event]).change
        assert change is not None
        report = change.report
        parts |= {part.part_id: part for part in change.parts}
        statuses.append(status_of(report))
    assert report is not None
    outcome = StoredOutcome(f"{PART}#1", "PartFailed", failed().model_dump_json())
    return Evidence(
        reports={"r1": report},
        parts={"r1": list(parts.values())},
        outcomes={outcome.key: outcome},
        statuses={"r1": statuses},
        events={"r1": EVENTS},
        dead=[],
        calls=[],
        books={"r1": "Ann\nOverview"},
    )._replace(**changes)


def broken(found: Evidence) -> list[str]:
    return [
        *audit.every_report_ended(found, {"r1": 1}),
        *audit.every_report_ended_once(found),
        *audit.every_part_has_one_outcome(found),
        *audit.every_workbook_names_its_parts(found),
        *audit.only_the_unheard_is_dead(found),
    ]


def with_report(**changes: Any) -> Evidence:
    found = evidence()
    return found._replace(reports={"r1": found.reports["r1"].model_copy(update=changes)})


def with_statuses(*statuses: ReportStatus) -> Evidence:
    return evidence(statuses={"r1": [*evidence().statuses["r1"], *statuses]})


def with_events(*events: Event) -> Evidence:
    return evidence(events={"r1": events})


def told(found: Evidence) -> Sequence[ReportStatus]:
    return found.statuses["r1"]


def test_what_is_as_it_should_be_breaks_nothing() -> None:
    assert broken(evidence()) == []


def test_a_repeated_status_and_a_repeated_outcome_break_nothing() -> None:
    assert broken(with_statuses(told(evidence())[-1])) == []
    assert broken(with_events(*BEGINNING, failed(), failed(), END)) == []


def test_a_report_that_has_not_ended_is_seen() -> None:
    assert "has not ended" in broken(with_report(status=Status.EVALUATING))[0]
    assert "is not known" in broken(evidence(reports={}))[0]
    assert "was to be tried again" in next(audit.every_report_ended(evidence(), {"r1": 2}))


def test_a_status_that_goes_on_after_the_end_is_seen() -> None:
    later = told(evidence())[0].model_copy(update={"version": 9})
    assert any("went on after its end" in line for line in broken(with_statuses(later)))


def test_a_last_word_that_is_not_what_is_stored_is_seen() -> None:
    assert any("the last word is" in line for line in broken(with_statuses(told(evidence())[0])))


def test_a_version_that_is_told_in_two_ways_is_seen() -> None:
    other = told(evidence())[-1].model_copy(update={"score": 5.0})
    assert any("told in two ways" in line for line in broken(with_statuses(other)))


def test_a_second_outcome_is_seen() -> None:
    assert any("two outcomes" in line for line in broken(with_events(*BEGINNING, failed(), failed(detail="x"), END)))


def test_an_outcome_that_is_not_the_ledgers_is_seen() -> None:
    assert any("not in the ledger" in line for line in broken(evidence(outcomes={})))
    other = StoredOutcome(f"{PART}#1", "PartFailed", failed(detail="x").model_dump_json())
    assert any("in the ledger" in line for line in broken(evidence(outcomes={other.key: other})))


def test_a_part_that_was_overwritten_is_seen() -> None:
    found = evidence()
    parts = [part.model_copy(update={"detail": "overwritten"}) for part in found.parts["r1"]]
    assert any("as its events make it" in line for line in broken(found._replace(parts={"r1": parts})))


def test_a_part_that_is_still_open_is_seen() -> None:
    found = evidence()
    parts = [part.model_copy(update={"status": PartStatus.PENDING}) for part in found.parts["r1"]]
    assert any("is still pending" in line for line in broken(found._replace(parts={"r1": parts})))


def test_a_number_that_was_counted_twice_is_seen() -> None:
    assert any("as its events make it" in line for line in broken(with_report(errored=2)))


def test_a_workbook_that_leaves_out_a_part_or_is_not_there_is_seen() -> None:
    assert any("does not name" in line for line in broken(evidence(books={"r1": "Overview"})))
    assert any("without a workbook" in line for line in broken(evidence(books={})))
