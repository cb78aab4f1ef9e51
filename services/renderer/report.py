"""The fold: how events change a report. Everything that can happen to a report is in this file, and nothing else is.

Rule 1: a part has one outcome per generation, the first; repeated, stale and late ones are dropped by name.
Rule 2: what is to be published follows from the state (`due`), never from the transition.
Rule 3: an ended evaluation has no open part: whatever ends it early says what becomes of those (`Sweep`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, assert_never

from services.renderer.transitions import (
    CANCEL,
    DEADLINE,
    FAIL_FAST,
    End,
    accepted,
    delayed,
    evaluated,
    failed,
    limit_reached,
    reopened,
    without_data,
)
from shared.evaluations import Part, Usage
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
    ReportStatus,
    WorkbookRendered,
    part_id,
)
from shared.state import Change, Report, StoredWorkbook, Sweep
from shared.statuses import final_status, open_pieces, status_of
from shared.vocabulary import PartStatus, Reason, Role, Status

MOST_RENDER_FAILURES = 3
MOST_GENERATIONS = 50  # kept of a report, which is written anew with every batch
_CAN_BE_RETRIED = frozenset({PartStatus.ERRORED, PartStatus.CANCELLED})


class Due(NamedTuple):
    """What a state calls for."""

    status: ReportStatus
    overview: bool
    render: bool


class Folded(NamedTuple):
    """What a batch did: the change to write (None: nothing), the outcomes that counted, why others were dropped.

    `ended` says that the report became final in this step.
    """

    change: Change | None
    counted: tuple[Part, ...]
    dropped: tuple[str, ...]
    ended: bool = False


def overview_id(report_id: str) -> str:
    """The part_id of the overview, which every step reads."""
    return part_id(report_id, Role.OVERVIEW, "overview")


def touched(report_id: str, events: Sequence[Event]) -> list[str]:
    """The parts a step must read for these events."""
    named = {event.part_id for event in events if isinstance(event, PartEvaluated | PartFailed | PartDelayed)}
    wanted = {part for event in events if isinstance(event, ReportPlanned) for part in event.part_ids or ()}
    return sorted({*named, *wanted, overview_id(report_id)})


def due(report: Report) -> Due:
    """What the state calls for: its status always; the overview's task and the workbook when their time has come."""
    evaluating = report.status is Status.EVALUATING
    overview_waits = report.overview_mode == "synthesis" and report.overview is PartStatus.PENDING
    return Due(
        status=status_of(report),
        overview=evaluating and overview_waits and open_pieces(report) == 0,
        render=report.status is Status.RENDERING or report.render_wanted,
    )


def fold(report: Report | None, parts: Mapping[str, Part], events: Sequence[Event]) -> Folded:
    """Apply the events in order to the report and the parts they touch."""
    dropped: list[str] = []
    step = _Step(report, parts, dropped) if report is not None else None
    for event in events:
        if step is not None:
            step.apply(event)
        elif isinstance(event, ReportAccepted):
            step = _Step(accepted(event), parts, dropped)
        else:
            dropped.append("unknown_report")
    if step is None or (step.report == report and not step.parts_changed):
        return Folded(None, (), tuple(dropped))
    ended = step.report.status.is_final and not (report is not None and report.status.is_final)
    return Folded(step.change(), tuple(step.counted), tuple(dropped), ended)


class _Step:
    """One fold in progress."""

    def __init__(self, report: Report, parts: Mapping[str, Part], dropped: list[str]) -> None:
        self.report = report
        self.counted: list[Part] = []
        self._parts = dict(parts)
        self._changed: dict[str, Part] = {}
        self._sweep: Sweep | None = None
        self._reopen: int | None = None
        self._dropped = dropped

    @property
    def parts_changed(self) -> bool:
        """Some part is to be written, even where the report's own numbers stay."""
        return bool(self._changed)

    def change(self) -> Change:
        """What to write."""
        report = self.report.model_copy(update={"version": self.report.version + 1})
        return Change(report, tuple(self._changed.values()), self._sweep, self._reopen)

    def apply(self, event: Event) -> None:  # noqa: C901  # one line per event
        """Change the report and its parts as the event says; what does not fit the state is dropped by name."""
        match event:
            case ReportAccepted():
                return  # it exists
            case ReportRejected():
                self._rejected(event)
            case ReportPlanned():
                self._planned(event)
            case PartEvaluated() | PartFailed():
                self._outcome(event)
            case PartDelayed():
                self._delayed(event)
            case DeadlinePassed():
                self._end_early(event.generation, event.at, DEADLINE)
            case ReportCancelled():
                self._end_early(event.generation, event.at, CANCEL)
            case RenderRequested():
                self._render_requested()
            case WorkbookRendered():
                self._rendered(event)
            case RenderFailed():
                self._render_failed(event)
            case _:
                assert_never(event)

    def _update(self, **fields: object) -> None:
        self.report = self.report.model_copy(update=fields)

    # --- the beginning

    def _rejected(self, event: ReportRejected) -> None:
        if self.report.status is Status.ACCEPTED:
            self._update(status=Status.REJECTED, reason=event.reason, completed_at=event.at)

    def _planned(self, event: ReportPlanned) -> None:
        if event.generation == self.report.generation + 1 and self.report.status.is_final and self.report.pieces:
            self._retried(event)
            return
        if self.report.status is not Status.ACCEPTED or event.generation != self.report.generation:
            self._dropped.append("repeated_plan")
            return
        self._update(
            status=Status.EVALUATING,
            pieces=event.pieces,
            overview_mode=event.overview,
            overview=PartStatus.PENDING,
            fail_fast=event.fail_fast,
            token_limit=event.token_limit,
            cost_limit_usd=event.cost_limit_usd,
            planned_at=event.planned_at,
            deadline_at=event.deadline_at,
        )

    def _retried(self, event: ReportPlanned) -> None:
        """Open errored and cancelled parts again: all of them, or those named; in synthesis the overview as well."""
        again = [part for part in self._parts.values() if part.status in _CAN_BE_RETRIED]
        overview = self._parts.get(overview_id(self.report.report_id))
        if event.part_ids is None:
            errored, cancelled = self.report.errored, self.report.cancelled
            self._reopen = event.generation
            for part in again:
                self._parts[part.part_id] = reopened(part, event.generation)  # written by the reopening of all
        else:
            pieces = [part for part in again if part.part_id in event.part_ids and part is not overview]
            errored = sum(part.status is PartStatus.ERRORED for part in pieces)
            cancelled = len(pieces) - errored
            for part in pieces:
                self._put(reopened(part, event.generation))
        named = overview is not None and (event.part_ids is None or overview.part_id in event.part_ids)
        overview_again = overview is not None and overview.status in _CAN_BE_RETRIED and named
        if not (errored or cancelled or overview_again):
            self._reopen = None
            self._dropped.append("nothing_to_retry")
            return
        if overview is not None and (overview_again or event.overview == "synthesis"):
            self._put(reopened(overview, event.generation))
            self._update(overview=PartStatus.PENDING, overview_reason=None)
        self._update(
            earlier=self.report.generations[-MOST_GENERATIONS:],
            generation=event.generation,
            status=Status.EVALUATING,
            errored=self.report.errored - errored,
            cancelled=self.report.cancelled - cancelled,
            ends_as=None,
            reason=None,
            completed_at=None,
            render_wanted=False,
            render_failures=0,
            planned_at=event.planned_at,
            deadline_at=event.deadline_at,
        )

    # --- outcomes

    def _open_part(self, event: PartEvaluated | PartFailed | PartDelayed) -> Part | None:
        """The part an event is about, if it may still change; else why it was dropped is noted."""
        part = self._parts.get(event.part_id)
        if event.generation != self.report.generation:
            self._dropped.append("stale")
        elif self.report.status is not Status.EVALUATING:
            self._dropped.append("ended")
        elif part is None or part.report_id != self.report.report_id:
            self._dropped.append("unknown_part")
        elif not part.status.is_open:
            self._dropped.append("repeated")
        else:
            return part
        return None

    def _outcome(self, event: PartEvaluated | PartFailed) -> None:
        part = self._open_part(event)
        if part is None:
            return
        decided = evaluated(part, event) if isinstance(event, PartEvaluated) else failed(part, event)
        self._put(decided)
        self.counted.append(decided)
        self._count_usage(event.usage)
        if isinstance(event, PartEvaluated) and event.saved is not None:
            self._count_saved(event.saved)
        if decided.reason is Reason.BUDGET_EXHAUSTED:
            self._update(reason=self.report.exhausted or decided.detail)
        self._update(evaluated_at=max(self.report.evaluated_at or event.finished_at, event.finished_at))
        if decided.role is Role.OVERVIEW:
            self._update(overview=decided.status, overview_reason=decided.reason)
        else:
            self._count_piece(part, decided)
        self._settle(self.report.evaluated_at or event.finished_at)

    def _put(self, part: Part) -> None:
        self._parts[part.part_id] = part
        self._changed[part.part_id] = part

    def _count_piece(self, before: Part, after: Part) -> None:
        report = self.report
        if before.status is PartStatus.DELAYED:
            self._update(delayed=report.delayed - 1)
        if after.status is PartStatus.ERRORED:
            self._update(errored=report.errored + 1)
            return
        self._update(
            completed=report.completed + 1,
            passed=report.passed + (after.passed is True),
            not_passed=report.not_passed + (after.passed is False),
        )
        if after.score is not None:
            micro = round(after.score * 1e6)
            self._update(scored=report.scored + 1, score_sum_micro=report.score_sum_micro + micro)

    def _count_usage(self, usage: Usage) -> None:
        report = self.report
        self._update(
            input_tokens=report.input_tokens + usage.input_tokens,
            output_tokens=report.output_tokens + usage.output_tokens,
            cached_tokens=report.cached_tokens + usage.cached_tokens,
            reasoning_tokens=report.reasoning_tokens + usage.reasoning_tokens,
            cost_nano=report.cost_nano + round((usage.cost_usd or 0.0) * 1e9),
            unpriced=report.unpriced or (usage.model is not None and usage.cost_usd is None),
        )
        if (reached := limit_reached(self.report)) != report.exhausted:
            self._update(exhausted=reached)

    def _count_saved(self, saved: Usage) -> None:
        report = self.report
        self._update(
            recalled=report.recalled + 1,
            saved_input_tokens=report.saved_input_tokens + saved.input_tokens,
            saved_output_tokens=report.saved_output_tokens + saved.output_tokens,
            saved_cost_nano=report.saved_cost_nano + round((saved.cost_usd or 0.0) * 1e9),
            saved_unpriced=report.saved_unpriced or saved.cost_usd is None,
        )

    def _delayed(self, event: PartDelayed) -> None:
        part = self._open_part(event)
        if part is None or (part.status is PartStatus.DELAYED and part.attempts >= event.attempts):
            return
        self._put(delayed(part, event))
        if part.role is Role.OVERVIEW:
            self._update(overview=PartStatus.DELAYED)
        elif part.status is PartStatus.PENDING:
            self._update(delayed=self.report.delayed + 1)

    # --- the end of the evaluation

    def _settle(self, at: datetime) -> None:
        """Move on when the last outcome is there, or the first failure ends the report."""
        if self.report.fail_fast and self.report.errored:
            self._end_early(self.report.generation, at, FAIL_FAST)
            return
        if open_pieces(self.report):
            return
        overview = self._parts.get(overview_id(self.report.report_id))
        nothing_to_say = self.report.overview_mode == "synthesis" and self.report.completed == 0
        if overview is not None and overview.status.is_open and nothing_to_say:
            self._put(without_data(overview, at))
            self._update(overview=PartStatus.ERRORED, overview_reason=Reason.NO_DATA)
        if self.report.overview is not None and not self.report.overview.is_open:
            self._update(status=Status.RENDERING)

    def _end_early(self, generation: int, at: datetime, end: End) -> None:
        if generation != self.report.generation:
            self._dropped.append("stale")
        elif self.report.status is Status.ACCEPTED:
            self._update(status=end.unplanned, reason=end.text, completed_at=at)
        elif self.report.status is Status.EVALUATING:
            self._close_open_parts(end, at)
            self._update(status=Status.RENDERING, ends_as=end.ends_as, reason=end.text)
        else:
            self._dropped.append("ended")

    def _close_open_parts(self, end: End, at: datetime) -> None:
        report = self.report
        self._sweep = end.sweep(at)
        for part in [part for part in self._parts.values() if part.status.is_open]:
            closed_part = end.close(part, at)
            self._parts[part.part_id] = closed_part
            if part.part_id in self._changed:  # what else changed of it must not be lost; the rest the sweep writes
                self._changed[part.part_id] = closed_part
        closed = open_pieces(report)
        if end.part_status is PartStatus.ERRORED:
            self._update(delayed=0, errored=report.errored + closed)
        else:
            self._update(delayed=0, cancelled=report.cancelled + closed)
        if report.overview is not None and report.overview.is_open:
            self._update(overview=end.part_status, overview_reason=end.reason)

    # --- the workbook

    def _render_requested(self) -> None:
        if self.report.status.is_final and self.report.planned_at is not None:
            self._update(render_wanted=True, render_failures=0)

    def _rendered(self, event: WorkbookRendered) -> None:
        report = self.report
        if report.generation != event.generation or not due(report).render:
            self._dropped.append("repeated_workbook")
            return
        book = StoredWorkbook(
            file_id=event.file_id, sha256=event.sha256, bytes=event.bytes, generation=event.generation
        )
        self._update(workbook=book, render_wanted=False, render_failures=0)
        if report.status is Status.RENDERING:
            status = final_status(report)
            reason = report.reason or ("no part could be judged" if status is Status.FAILED else None)
            self._update(status=status, reason=reason, completed_at=event.at)

    def _render_failed(self, event: RenderFailed) -> None:
        report = self.report
        if report.generation != event.generation or not due(report).render:
            return
        self._update(render_failures=max(report.render_failures, event.attempt))
        if self.report.render_failures < MOST_RENDER_FAILURES:
            return
        self._update(render_wanted=False)
        if report.status is Status.RENDERING:
            reason = f"the workbook could not be built: {event.detail}"
            self._update(status=Status.FAILED, reason=reason, completed_at=event.at)
