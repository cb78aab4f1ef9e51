"""The database in memory: what the fakes of other tests lack, above all the fold's transaction and the leases."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.evaluations import Part
from shared.state import Change, Claim, Report, Standing
from shared.store.reports import OPEN, Decide
from shared.vocabulary import PartStatus, Role, Status
from tests.fakes import FakeBooks, FakeParts, FakeReports, FakeUploads
from tests.stores import FakeEvidence, FakePlans, FakeSources, FakeTasks

FAILED = frozenset({PartStatus.ERRORED, PartStatus.CANCELLED})


class Step(NamedTuple):
    """A fold step as the database saw it."""

    before: Report | None
    after: Report
    parts_before: Mapping[str, Part]
    parts_after: Mapping[str, Part]


class Parts(FakeParts):
    """Parts that can be replaced."""

    def of(self, report_id: str) -> dict[str, Part]:
        return {part.part_id: part for part in self.stored if part.report_id == report_id}

    def replace(self, parts: Iterable[Part]) -> None:
        new = {part.part_id: part for part in parts}
        self.stored = [new.get(part.part_id, part) for part in self.stored]


class Reports(FakeReports):
    """Reports with the fold's transaction, which is one effect: read, decide, write."""

    def __init__(self, parts: Parts, folded: Callable[[Step], None]) -> None:
        super().__init__()
        self.parts = parts
        self.folded = folded

    async def fold(
        self, report_id: str, part_ids: Sequence[str], decide: Decide, retention: timedelta
    ) -> Report | None:
        assert retention > timedelta(0)
        before, parts = self.stored.get(report_id), self.parts.of(report_id)
        change = decide(before, {name: parts[name] for name in part_ids if name in parts})
        if change is None:
            return before
        self.write(change)
        self.folded(Step(before, change.report, parts, self.parts.of(report_id)))
        return change.report

    def write(self, change: Change) -> None:
        """In the order that `Change` says."""
        report_id = change.report.report_id
        if change.reopen is not None:
            again = {"status": PartStatus.PENDING, "generation": change.reopen}
            self._update(report_id, again, lambda part: part.status in FAILED and part.role is not Role.OVERVIEW)
        self.parts.replace(change.parts)
        if (sweep := change.sweep) is not None:
            swept: dict[str, Any] = {
                "status": sweep.status,
                "reason": sweep.reason,
                "detail": sweep.detail,
                "retry_at": None,
            }
            swept |= {"retryable": sweep.retryable, "finished_at": sweep.at}
            self._update(report_id, swept, lambda part: part.status.is_open)
        self.put(change.report)

    def _update(self, report_id: str, fields: Mapping[str, Any], where: Callable[[Part], bool]) -> None:
        found = [part for part in self.parts.of(report_id).values() if where(part)]
        self.parts.replace(part.model_copy(update=fields) for part in found)

    async def standings(self, report_ids: Collection[str]) -> Mapping[str, Standing]:
        found = [self.stored[name] for name in report_ids if name in self.stored]
        return {
            report.report_id: Standing(report.generation, report.status, bool(report.exhausted)) for report in found
        }

    async def overdue(self, now: datetime) -> AsyncIterator[Report]:
        for report in [*self.stored.values()]:
            if report.status in {Status.ACCEPTED, Status.EVALUATING} and report.deadline_at < now:
                yield report

    async def rendering(self) -> AsyncIterator[Report]:
        for report in [*self.stored.values()]:
            if report.status is Status.RENDERING or report.render_wanted:
                yield report

    async def count_open(self) -> int:
        return sum(report.status in OPEN for report in self.stored.values())


class Books(FakeBooks):
    """The ledger, which remembers how often a claim was taken over."""

    def __init__(self, now: Callable[[], datetime], must: Callable[[bool, str], None]) -> None:
        super().__init__()
        self.taken_over: dict[str, int] = {}
        self._now = now
        self._must = must

    async def take_over(self, lapsed: Claim, claim: Claim) -> bool:
        taken = await super().take_over(lapsed, claim)
        if taken:
            self._must(lapsed.until <= self._now(), f"the claim on {claim.key} was taken over while it held")
            self.taken_over[claim.key] = self.taken_over.get(claim.key, 0) + 1
        return taken


class Lease(NamedTuple):
    """Who is building a workbook, and until when nobody else is to."""

    owner: str
    until: datetime


class Renders:
    """The leases on workbooks."""

    def __init__(self) -> None:
        self.held: dict[str, Lease] = {}

    async def claim(self, key: str, owner: str, now: datetime, until: datetime, expires_at: datetime) -> bool:
        assert expires_at > until
        if key in self.held and not self.held[key].until < now:
            return False
        self.held[key] = Lease(owner, until)
        return True

    async def renew(self, key: str, owner: str, until: datetime) -> None:
        if key in self.held and self.held[key].owner == owner:
            self.held[key] = Lease(owner, until)

    async def release(self, key: str, owner: str) -> None:
        if key in self.held and self.held[key].owner == owner:
            del self.held[key]


class Files:
    """Stored workbooks: what each says of its parts."""

    def __init__(self) -> None:
        self.stored: dict[str, Mapping[str, Part]] = {}

    async def expire(self, now: datetime) -> int:
        del now
        return 0


class Stored(NamedTuple):
    """All collections."""

    parts: Parts
    plans: FakePlans
    tasks: FakeTasks
    evidence: FakeEvidence
    reports: Reports
    uploads: FakeUploads
    sources: FakeSources
    books: Books
    renders: Renders
    files: Files
