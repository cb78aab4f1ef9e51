"""What must hold of a report whatever dies, in the moment it changes, is published or is paid for."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from services.evaluator.claims import key_of
from shared.evaluations import Part
from shared.messages import (
    EVENT,
    EvaluationTask,
    Event,
    PartEvaluated,
    PartFailed,
    ReportAccepted,
    ReportCancelled,
    ReportPlanned,
    ReportStatus,
)
from shared.state import Plan, Report
from shared.statuses import status_of
from shared.store.ledger import StoredOutcome
from shared.vocabulary import PartStatus, Reason, Role, Status
from tests.model.database import Lease, Step

UNSAID = frozenset({Reason.DEADLINE_PASSED, Reason.CANCELLED, Reason.NO_DATA})  # by a deadline, or by nobody's judge
OPEN = frozenset({Status.ACCEPTED, Status.EVALUATING})


class Known(NamedTuple):
    """What a process could know when it took a record in hand."""

    report: Report | None
    part: Part | None
    settled: bool
    generation: int


class Laws:
    """The laws, and where they were broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.states: dict[tuple[str, int], ReportStatus] = {}
        self.published: dict[str, ReportStatus] = {}
        self.planned: dict[str, int] = {}  # the highest generation that was announced
        self.accepted: set[str] = set()
        self.plans: dict[str, str] = {}
        self.outcomes: dict[str, str] = {}  # what was said first of a part in a generation
        self.payers: dict[str, list[Known]] = {}

    def must(self, holds: bool, text: str) -> None:  # noqa: FBT001  # what must hold comes first
        if not holds:
            self.broken.append(text)

    # --- the fold

    def folded(self, step: Step) -> None:
        """A report changed."""
        report, before = step.after, step.before
        version = before.version if before else 0
        self.must(report.version == version + 1, f"version {report.version} follows {version}")
        self.states[report.report_id, report.version] = status_of(report)
        if before is not None:
            self._goes_forward(before, report)
        for part in step.parts_before.values():
            self._part_changed(part, step.parts_after[part.part_id], report)
        if report.pieces:
            self._adds_up(report, step.parts_after)

    def _goes_forward(self, before: Report, after: Report) -> None:
        retried = after.generation == before.generation + 1
        self.must(retried or after.generation == before.generation, "the generation jumped")
        if retried:
            self.must(before.status.is_final, f"retried while {before.status}")
            return
        self.must(not before.status.is_final or before.status is after.status, f"{before.status} was left")
        fell = status_of(after).progress < status_of(before).progress
        self.must(not fell, "progress fell")

    def _part_changed(self, before: Part, after: Part, report: Report) -> None:
        name = before.part_id
        if before.status.is_open:
            if not after.status.is_open and after.reason not in UNSAID:
                self._is_what_was_said(after)
            return
        if after.generation == before.generation:
            self.must(after == before, f"the outcome of {name} was replaced in generation {before.generation}")
            return
        self.must(after.generation == report.generation > before.generation, f"{name} skipped a generation")
        completed = before.status is PartStatus.COMPLETED and before.role is not Role.OVERVIEW
        self.must(not completed, f"completed {name} was opened again")

    def _is_what_was_said(self, part: Part) -> None:
        key = f"{part.part_id}#{part.generation}"
        said = EVENT.validate_json(self.outcomes[key]) if key in self.outcomes else None
        same = isinstance(said, PartEvaluated | PartFailed) and said.finished_at == part.finished_at
        self.must(same, f"the outcome of {key} is not the one that was published")

    def _adds_up(self, report: Report, parts: Mapping[str, Part]) -> None:
        counts = status_of(report).counts
        found = Counter(part.status for part in parts.values() if part.role is not Role.OVERVIEW)
        said = (counts.completed, counts.errored, counts.cancelled, counts.delayed, counts.pending)
        order = (
            PartStatus.COMPLETED,
            PartStatus.ERRORED,
            PartStatus.CANCELLED,
            PartStatus.DELAYED,
            PartStatus.PENDING,
        )
        there = tuple(found[status] for status in order)
        self.must(said == there, f"the report says {said}, its parts {there}")
        (overview,) = [part for part in parts.values() if part.role is Role.OVERVIEW]
        self.must(overview.status is report.overview, f"the overview is {overview.status}, not {report.overview}")
        if report.status not in OPEN:
            open_parts = [part.part_id for part in parts.values() if part.status.is_open]
            self.must(not open_parts, f"{report.status} with {open_parts} open")

    # --- what is published

    def status(self, status: ReportStatus) -> None:
        """A status was published."""
        self.must(
            self.states.get((status.report_id, status.version)) == status,
            f"a status was published that was never stored: version {status.version}",
        )
        last = self.published.get(status.report_id)
        if last is None or last.version < status.version:
            self.published[status.report_id] = status

    def event(self, event: Event, settled: Mapping[str, StoredOutcome], known: Known | None) -> None:
        """An event was published."""
        match event:
            case ReportAccepted():
                self.accepted.add(event.report_id)
            case ReportPlanned():
                self.planned[event.report_id] = max(event.generation, self.planned.get(event.report_id, 0))
            case ReportCancelled() if known is not None:
                self.must(
                    event.generation >= known.generation,
                    f"cancelled generation {event.generation} when {known.generation} was announced",
                )
            case PartEvaluated() | PartFailed() if known is not None and known.part is None:
                return  # said by the orchestrator of a part without data
            case PartEvaluated() | PartFailed():
                key, body = f"{event.part_id}#{event.generation}", event.model_dump_json(by_alias=True)
                stored = settled.get(key)
                first = self.outcomes.setdefault(key, body)
                self.must(stored is not None and stored.body == body, f"what was said of {key} is not what is stored")
                self.must(first == body, f"two outcomes of {key} were published")
            case _:
                return

    def plan(self, plan: Plan) -> None:
        """Something was published that follows from this plan."""
        first = self.plans.setdefault(plan.report_id, plan.token)
        self.must(first == plan.token, f"{plan.report_id} has a second plan")

    # --- what is read, built, and paid for

    def reads(self, report_id: str) -> None:
        """The evidence of a report is about to be read, which may take as long as it likes."""
        self.must(report_id in self.accepted, f"{report_id} is planned without a deadline")

    def renders(self, held: Mapping[str, Lease], report_id: str, owner: str) -> None:
        """A workbook is about to be built."""
        owners = {lease.owner for key, lease in held.items() if key.startswith(f"{report_id}/")}
        self.must(owner in owners, f"{owner} builds {report_id} without a lease")

    def paid(self, task: EvaluationTask, known: Known) -> None:
        """A call begins."""
        key, report = key_of(task), known.report
        payers = self.payers.setdefault(key, [])
        if not any(payer is known for payer in payers):
            payers.append(known)
        self.must(not known.settled, f"{key} was paid for when its outcome was stored")
        ended = report is not None and (
            report.generation > task.generation or (report.generation == task.generation and report.status not in OPEN)
        )
        self.must(not ended, f"{key} was paid for when its report had ended")
        spent = report is not None and report.exhausted and report.generation == task.generation
        self.must(not spent, f"{key} was paid for when its report had reached its limit")
        part = known.part
        judged = part is not None and part.status is PartStatus.COMPLETED and part.role is not Role.OVERVIEW
        self.must(not judged, f"{key} was paid for when it was completed")

    def counted(self, taken_over: Mapping[str, int]) -> None:
        """How often calls were made for the same part."""
        for key, payers in self.payers.items():
            allowed = 1 + taken_over.get(key, 0)
            self.must(len(payers) <= allowed, f"{key} was paid for {len(payers)} times, {allowed} allowed")
