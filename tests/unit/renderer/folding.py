"""Events as they come, and a report that is folded and stored as the store does it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from services.renderer.report import Due, Folded, due, fold, overview_id, touched
from shared.evaluations import Judge, Part, Usage
from shared.messages import (
    DeadlinePassed,
    Event,
    PartDelayed,
    PartEvaluated,
    PartFailed,
    RenderFailed,
    RenderRequested,
    ReportAccepted,
    ReportCancelled,
    ReportPlanned,
    ReportRejected,
    WorkbookRendered,
    part_id,
)
from shared.state import Report
from shared.statuses import status_of
from shared.vocabulary import Kind, Lane, PartStatus, Reason, Role, Status
from tests.builders import NOON, REPORT_ID, a_part, an_agent_evaluation, an_overview, at

OVERVIEW = "overview"
PRICED = Usage(model="gpt-4o-mini", input_tokens=1_000, output_tokens=100, cost_usd=0.001)


def id_of(key: str) -> str:
    return overview_id(REPORT_ID) if key == OVERVIEW else part_id(REPORT_ID, Role.AGENT, key)


def accepted(**changes: Any) -> ReportAccepted:
    defaults = {"report_id": REPORT_ID, "kind": Kind.AGENTS, "title": "T", "accepted_at": NOON, "deadline_at": at(900)}
    return ReportAccepted(**(defaults | changes))


def planned(**changes: Any) -> ReportPlanned:
    defaults: dict[str, Any] = {
        "report_id": REPORT_ID,
        "pieces": 2,
        "overview": "synthesis",
        "lane": Lane.SMALL,
        "planned_at": at(1),
        "deadline_at": at(906),
    }
    return ReportPlanned(**(defaults | changes))


def evaluated(key: str, score: float | None = 7.5, **changes: Any) -> PartEvaluated:
    defaults: dict[str, Any] = {
        "report_id": REPORT_ID,
        "part_id": id_of(key),
        "generation": 1,
        "evaluation": an_overview().evaluation if key == OVERVIEW else an_agent_evaluation(),
        "score": score,
        "passed": None if score is None else score >= 7,
        "usage": PRICED,
        "attempts": 1,
        "seconds": 9,
        "finished_at": at(10),
        "judge": Judge(model="gpt-4o-mini", prompt_version="1"),
    }
    return PartEvaluated(**(defaults | changes))


def failed(key: str, reason: Reason = Reason.TIMED_OUT, **changes: Any) -> PartFailed:
    defaults: dict[str, Any] = {
        "report_id": REPORT_ID,
        "part_id": id_of(key),
        "generation": 1,
        "reason": reason,
        "detail": "No answer.",
        "attempts": 3,
        "retryable": reason.is_retryable,
        "usage": PRICED,
        "seconds": 9,
        "finished_at": at(10),
    }
    return PartFailed(**(defaults | changes))


def delayed(key: str, attempts: int = 1, generation: int = 1) -> PartDelayed:
    return PartDelayed(
        report_id=REPORT_ID,
        part_id=id_of(key),
        generation=generation,
        reason=Reason.RATE_LIMITED,
        attempts=attempts,
        retry_at=at(30 * attempts),
    )


def rejected() -> ReportRejected:
    return ReportRejected(report_id=REPORT_ID, reason="there are no agents to judge", at=at(5))


def deadline(generation: int = 1) -> DeadlinePassed:
    return DeadlinePassed(report_id=REPORT_ID, generation=generation, at=at(906))


def cancelled(generation: int = 1) -> ReportCancelled:
    return ReportCancelled(report_id=REPORT_ID, generation=generation, at=at(20))


def render() -> RenderRequested:
    return RenderRequested(report_id=REPORT_ID)


def rendered(generation: int = 1, file_id: str = "file-1") -> WorkbookRendered:
    return WorkbookRendered(
        report_id=REPORT_ID, generation=generation, file_id=file_id, sha256="ab", bytes=10, seconds=1, at=at(60)
    )


def render_failed(attempt: int = 1, generation: int = 1) -> RenderFailed:
    return RenderFailed(report_id=REPORT_ID, generation=generation, attempt=attempt, detail="disk full", at=at(60))


class AReport:
    """A report and its parts, changed by folds alone; every step must keep the books."""

    def __init__(self, keys: Iterable[str] = ("7", "8"), mode: str = "synthesis", **plan: Any) -> None:
        self.keys = tuple(keys)
        self.state: Report | None = None
        self.parts = {id_of(key): a_part(key, index=index) for index, key in enumerate(self.keys)}
        self.parts[id_of(OVERVIEW)] = a_part(OVERVIEW, Role.OVERVIEW, index=len(self.keys))
        self.plan = planned(pieces=len(self.keys), overview=mode, **plan)

    @property
    def report(self) -> Report:
        assert self.state is not None
        return self.state

    @property
    def status(self) -> Status:
        return self.report.status

    @property
    def due(self) -> Due:
        return due(self.report)

    def part(self, key: str) -> Part:
        return self.parts[id_of(key)]

    def folds(self, *events: Event) -> Folded:
        """One batch: read what it touches, decide, write as the store does."""
        read = {name: self.parts[name] for name in touched(REPORT_ID, events) if name in self.parts}
        folded = fold(self.state, read, events)
        if folded.change is not None:
            assert folded.change.report.version == (self.state.version if self.state else 0) + 1
            self._write(folded)
            self.check()
        return folded

    def begun(self) -> "AReport":
        """Accepted and planned."""
        self.folds(accepted())
        self.folds(self.plan)
        return self

    def each(self, events: Iterable[Event]) -> "AReport":
        """One batch per event."""
        for event in events:
            self.folds(event)
        return self

    def all_evaluated(self) -> "AReport":
        """Every piece and the overview were judged."""
        return self.begun().each(evaluated(key) for key in (*self.keys, OVERVIEW))

    @property
    def outcome(self) -> tuple[Report, list[Part]]:
        """All that is stored, but for the number of steps it took."""
        return self.report.model_copy(update={"version": 0}), list(self.parts.values())

    def check(self) -> None:
        """The counters say what the parts say, and the status adds up."""
        report, counts = self.report, status_of(self.report).counts
        assert counts.total == counts.completed + counts.errored + counts.cancelled + counts.delayed + counts.pending
        assert counts.completed >= (counts.passed or 0) + (counts.not_passed or 0)
        if report.pieces == 0:
            return
        pieces = [part for part in self.parts.values() if part.role is not Role.OVERVIEW]
        found = Counter(part.status for part in pieces)
        assert found[PartStatus.COMPLETED] == counts.completed
        assert found[PartStatus.ERRORED] == counts.errored
        assert found[PartStatus.CANCELLED] == counts.cancelled
        assert found[PartStatus.DELAYED] == counts.delayed
        assert found[PartStatus.PENDING] == counts.pending
        assert self.part(OVERVIEW).status is report.overview
        assert report.scored == sum(part.score is not None for part in pieces if part.status is PartStatus.COMPLETED)

    def _write(self, folded: Folded) -> None:
        change = folded.change
        assert change is not None
        self.state = change.report
        if change.reopen is not None:
            again = {"status": PartStatus.PENDING, "generation": change.reopen}
            self._rewrite(again, [PartStatus.ERRORED, PartStatus.CANCELLED], pieces_only=True)
        self.parts |= {part.part_id: part for part in change.parts}
        if change.sweep is not None:
            sweep = change.sweep
            swept: dict[str, Any] = {"status": sweep.status, "reason": sweep.reason, "detail": sweep.detail}
            swept |= {"retryable": sweep.retryable, "finished_at": sweep.at, "retry_at": None}
            self._rewrite(swept, [PartStatus.PENDING, PartStatus.DELAYED], pieces_only=False)

    def _rewrite(self, fields: dict[str, Any], where: Sequence[PartStatus], *, pieces_only: bool) -> None:
        for name, part in self.parts.items():
            if part.status in where and not (pieces_only and part.role is Role.OVERVIEW):
                self.parts[name] = part.model_copy(update=fields)


def seconds_of(moment: datetime | None) -> float | None:
    """Seconds after noon."""
    return (moment - NOON).total_seconds() if moment else None
