"""The protocol with one rule broken at a time: each variant is a mistake that somebody could make."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.evaluator.claims import Claimed, Done, Mine
from services.evaluator.handlers import Handlers as Evaluator
from services.evaluator.ledger import Ledger
from services.orchestrator.handlers import Handlers as Orchestrator
from services.orchestrator.planning import is_to_be_retried, retry_of
from services.renderer.clock import Clock
from services.renderer.handlers import Handlers as Renderer
from services.renderer.report import Due
from shared.evaluations import Part
from shared.messages import (
    DeadlinePassed,
    EvaluationTask,
    Event,
    Outcome,
    ReportAccepted,
    ReportCancelled,
    ReportPlanned,
    RetryRequested,
)
from shared.offsets import Offsets, Place, Work
from shared.state import Change, Claim, Plan, Report, Standing
from shared.store.ledger import StoredOutcome
from shared.store.reports import Decide
from shared.vocabulary import PartStatus
from tests.model.broker import Record
from tests.model.consuming import Batches
from tests.model.database import Books, Renders, Reports
from tests.stores import FakePlans

# --- the fold and what follows from it


class CountsRepeats(Reports):
    async def fold(
        self, report_id: str, part_ids: Sequence[str], decide: Decide, retention: timedelta
    ) -> Report | None:
        def forgetful(report: Report | None, parts: Mapping[str, Part]) -> Change | None:
            return decide(
                report, {key: part.model_copy(update={"status": PartStatus.PENDING}) for key, part in parts.items()}
            )

        return await super().fold(report_id, part_ids, forgetful, retention)


class ReopensEverything(Reports):
    def write(self, change: Change) -> None:
        if change.reopen is not None:
            again = {"status": PartStatus.PENDING, "generation": change.reopen}
            self._update(change.report.report_id, again, lambda part: part.status is PartStatus.COMPLETED)
        super().write(change)


class SweepsNothing(Reports):
    def write(self, change: Change) -> None:
        super().write(change._replace(sweep=None))


class PublishesTransitions(Renderer):
    async def on_events(self, report_id: str, events: Sequence[Event]) -> None:
        before = await self._reports.get(report_id)
        self.__dict__.setdefault("seen", {})[report_id] = before.version if before else 0
        await super().on_events(report_id, events)

    async def _publish(self, report: Report, called_for: Due) -> None:
        if report.version > self.__dict__["seen"][report.report_id]:
            await super()._publish(report, called_for)


class ReleasesOnce(Renderer):
    async def _publish(self, report: Report, called_for: Due) -> None:
        released = report.report_id in self._released
        await super()._publish(report, called_for._replace(overview=called_for.overview and not released))


class TakesAnyGeneration(Renderer):
    async def on_events(self, report_id: str, events: Sequence[Event]) -> None:
        report = await self._reports.get(report_id)
        now = {"generation": report.generation} if report else {}
        taken = [event.model_copy(update=now) if hasattr(event, "finished_at") else event for event in events]
        await super().on_events(report_id, taken)


class CommitsFirst(Batches):
    async def _work(self, batch: list[Record], epoch: int) -> None:
        await self._commit(batch, epoch)
        await super()._work(batch, epoch)


class NoDeadlines(Clock):
    async def tick(self) -> None:
        async for report in self._reports.rendering():
            self._start_render(report)


class ForgetsRenderings(Clock):
    async def tick(self) -> None:
        async for report in self._reports.overdue(self._now()):
            passed = DeadlinePassed(report_id=report.report_id, generation=report.generation, at=report.deadline_at)
            await self._tell.event(passed)


class NoLease(Renders):
    async def claim(self, key: str, owner: str, now: datetime, until: datetime, expires_at: datetime) -> bool:
        await super().claim(key, owner, now, until, expires_at)
        return True


class LeaseForEver(Renders):
    async def claim(self, key: str, owner: str, now: datetime, until: datetime, expires_at: datetime) -> bool:
        return key not in self.held and await super().claim(key, owner, now, until, expires_at)


# --- the orchestrator


class _Late:
    def __init__(self, announce: Any) -> None:
        self._announce = announce
        self._held: list[ReportAccepted] = []
        self.tasks = announce.tasks

    async def event(self, event: Any) -> None:
        if isinstance(event, ReportAccepted):
            self._held.append(event)
            return
        for accepted in self._held:
            await self._announce.event(accepted)
        self._held.clear()
        await self._announce.event(event)


class ArmsLate(Orchestrator):
    def __init__(self, **ports: Any) -> None:
        super().__init__(**ports | {"announce": _Late(ports["announce"])})


class LastPlanWins(FakePlans):
    async def store(self, plan: Plan, parts: tuple[Part, ...], expires_at: datetime) -> Plan:
        self.stored.pop(plan.report_id, None)
        return await super().store(plan, parts, expires_at)


class MarksFirst(Orchestrator):
    async def _publish_tasks(self, plan: Plan) -> None:
        await self._store.plans.mark_published(plan.report_id, 1)
        await super()._publish_tasks(plan)


class MarksRetriesFirst(Orchestrator):
    async def _publish_again(self, plan: Plan, retry: ReportPlanned, parts: Sequence[Part]) -> None:
        await self._store.plans.mark_published(plan.report_id, retry.generation)
        await super()._publish_again(plan, retry, parts)


class RetriesTheCompleted(Orchestrator):
    async def _publish_again(self, plan: Plan, retry: ReportPlanned, parts: Sequence[Part]) -> None:
        del parts
        every = [part async for part in self._store.parts.of_report(plan.report_id)]
        await super()._publish_again(plan, retry, every)


class ReadsPartsLate(Orchestrator):
    async def on_retry(self, request: RetryRequested) -> None:
        plan = await self._store.plans.get(request.report_id)
        report = await self._store.reports.get(request.report_id)
        if plan is None or report is None or not report.status.is_final or report.generation + 1 != request.generation:
            return await super().on_retry(request)
        retry = retry_of(plan, request, self._clock())
        await self._announce.event(retry)
        stored = self._store.parts.of_report(plan.report_id)
        failed = [part async for part in stored if part.generation < 2 and is_to_be_retried(part, retry, begun=False)]
        await self._publish_again(plan, retry, failed)
        return await self._store.plans.mark_published(plan.report_id, request.generation)


class TrustsItsMark(Orchestrator):
    async def on_report(self, request: Any) -> None:
        if not await self._store.plans.is_published(request.report_id, 1):
            await super().on_report(request)


class TrustsItsRetryMark(Orchestrator):
    async def on_retry(self, request: RetryRequested) -> None:
        if not await self._store.plans.is_published(request.report_id, request.generation):
            await super().on_retry(request)


class CancelsTheKnown(Orchestrator):
    async def on_cancel(self, report_id: str) -> None:
        report = await self._store.reports.get(report_id)
        generation = report.generation if report else 1
        await self._announce.event(ReportCancelled(report_id=report_id, generation=generation, at=self._clock()))


# --- the evaluator and its ledger


class AcknowledgesFirst(Evaluator):
    async def on_task(self, task: EvaluationTask) -> None:
        self.__dict__.setdefault("running", set()).add(asyncio.create_task(super().on_task(task)))


class NoClaims(Books):
    async def claim(self, claims: Mapping[Claim, datetime]) -> frozenset[str]:
        await super().claim(claims)
        return frozenset()


class ClaimsForEver(Books):
    async def take_over(self, lapsed: Claim, claim: Claim) -> bool:
        del lapsed, claim
        return False


class LastOutcomeWins(Books):
    async def settle(self, outcomes: Mapping[StoredOutcome, datetime]) -> frozenset[str]:
        for outcome in outcomes:
            self.settled[outcome.key] = outcome
        return frozenset()


class IgnoresWhatIsDone(Ledger):
    async def _of_others(self, wanted: Sequence[Claim]) -> Mapping[str, Claimed]:
        found = await super()._of_others(wanted)
        mine = {claim.owner: Mine(claim) for claim in wanted if isinstance(found.get(claim.owner), Done)}
        return {**found, **mine}


class NeverLooks(Ledger):
    def __init__(self, books: Any, standings: Any, dials: Any, metrics: Any) -> None:
        del standings

        async def none(report_ids: Collection[str]) -> Mapping[str, Standing]:
            del report_ids
            return {}

        super().__init__(books, none, dials, metrics)


class SpendsOn(Reports):
    async def standings(self, report_ids: Collection[str]) -> Mapping[str, Standing]:
        found = await super().standings(report_ids)
        return {name: standing._replace(exhausted=False) for name, standing in found.items()}


class PublishesItsOwn(Ledger):
    async def settle(self, claim: Claim, outcome: Outcome) -> Done:
        await super().settle(claim, outcome)
        return Done(type(outcome).__name__, outcome.model_dump_json(by_alias=True))


class StoresNothing(Ledger):
    async def settle(self, claim: Claim, outcome: Outcome) -> Done:
        self.let_go(claim)
        return Done(type(outcome).__name__, outcome.model_dump_json(by_alias=True))


# --- offsets


class NoEras(Offsets):
    def assign(self, owned: Collection[Place], committed: Mapping[Place, int | None]) -> int:
        orphans = super().assign(owned, committed)
        for partition in self._partitions.values():
            partition.era = 0
            for entry in partition.entries.values():
                entry.era = 0
        return orphans


class CommitsTheHighest(Offsets):
    def committable(self) -> dict[Place, int]:
        done: dict[Place, int] = {}
        for place in self._owned & self._partitions.keys():
            for offset, entry in self._partitions[place].entries.items():
                if entry.work is Work.DONE:
                    done[place] = max(offset + 1, done.get(place, 0))
        return done


class FillsItsWindow(Offsets):
    def held(self, place: Place) -> int:
        partition = self._partitions.get(place)
        return len(partition.entries) if partition else 0
