"""What the room does with a request: refuse it in words, or store its plan once and publish what follows from it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.orchestrator.baselines import find_baseline, freeze_baseline
from services.orchestrator.freezing import Freezer
from services.orchestrator.objections import bad_keys, objections
from services.orchestrator.pieces import RejectedError, Source
from services.orchestrator.planning import (
    Settled,
    content_sha256,
    first_deadline,
    is_to_be_retried,
    overview_is_concurrent,
    planned_event,
    retry_of,
    settle,
)
from shared.chassis.dead_letters import UnprocessableError
from shared.evaluations import Part
from shared.messages import (
    PartFailed,
    ReportAccepted,
    ReportCancelled,
    ReportPlanned,
    ReportRejected,
    ReportRequested,
    RetryRequested,
)
from shared.pricing import PriceTable
from shared.settings import ReportSettings
from shared.state import Plan, Report
from shared.store import Store
from shared.store.tasks import StoredTask
from shared.telemetry import Metrics
from shared.vocabulary import Reason, Role, Status

logger = logging.getLogger(__name__)

LARGE_AT_ONCE = 1  # planned by a process: uploads, and reports for the bulk lane, take memory by their size
TASKS_AT_ONCE = 200  # published and confirmed together; bounds the memory of a report of any size


class Announce(Protocol):
    """How the world is told."""

    async def event(
        self, event: ReportAccepted | ReportRejected | ReportPlanned | PartFailed | ReportCancelled
    ) -> None:
        """Publish an event about a report."""

    async def tasks(self, tasks: Sequence[StoredTask]) -> None:
        """Publish tasks, all at once."""


SourceOf = Callable[[ReportRequested, datetime], Awaitable[Source]]


class Handlers:
    """One orchestrator's handling of requests."""

    def __init__(
        self,
        *,
        store: Store,
        announce: Announce,
        source_of: SourceOf,
        settings: ReportSettings,
        partitions: int,
        clock: Callable[[], datetime],
        new_token: Callable[[], str],
        metrics: Metrics,
        prices: PriceTable,
    ) -> None:
        self._store = store
        self._announce = announce
        self._source_of = source_of
        self._settings = settings
        self._partitions = partitions
        self._clock = clock
        self._new_token = new_token
        self._metrics = metrics
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._prices = prices

    async def on_report(self, request: ReportRequested) -> None:
        """Plan and publish. The same request again has no effect; the id with other content is refused."""
        digest = content_sha256(request)
        stored = await self._store.plans.get(request.report_id)
        report = await self._store.reports.get(request.report_id)
        known = stored.content_sha256 if stored else report.content_sha256 if report else digest
        if known != digest:
            raise UnprocessableError(f"report_id {request.report_id} is in use for a request with other content")
        if stored is None and report is not None and report.status.is_final:
            return self._metrics.requests.labels("repeated").inc()
        accepted_at = report.accepted_at if report else stored.accepted_at if stored else self._clock()
        if report is None or stored is None:
            await self._announce.event(_accepted(request, digest, accepted_at))
        if stored is not None:
            return await self._publish_unless_done(stored, report)
        try:
            async with self._large if self._is_large(request) else contextlib.nullcontext():
                plan = await self.plan(request, accepted_at)
        except RejectedError as error:
            return await self._reject(request, str(error))
        return await self._publish_unless_done(plan, report)

    async def on_cancel(self, report_id: str) -> None:
        """End a report; what is judged by then still gets its workbook."""
        report = await self._store.reports.get(report_id)
        generation = report.generation if report else 1
        if await self._store.plans.is_published(report_id, generation + 1):
            generation += 1  # a retry was asked for before, and is still to be folded
        await self._announce.event(ReportCancelled(report_id=report_id, generation=generation, at=self._clock()))

    async def on_retry(self, request: RetryRequested) -> None:
        """Judge errored and cancelled parts again, from the same evidence. A retry that has been begun is completed."""
        plan = await self._store.plans.get(request.report_id)
        report = await self._store.reports.get(request.report_id)
        if plan is None or report is None:
            raise UnprocessableError(f"there is no planned report {request.report_id} to retry")
        published = await self._store.plans.is_published(request.report_id, request.generation)
        if published and report.generation >= request.generation:
            return self._metrics.requests.labels("repeated").inc()
        begun = report.generation == request.generation
        if not begun and not (report.status.is_final and report.generation + 1 == request.generation):
            raise UnprocessableError(
                f"report {request.report_id} is {report.status} in generation {report.generation}: "
                f"generation {request.generation} cannot be asked for"
            )
        retry = retry_of(plan, request, self._clock())
        stored = self._store.parts.of_report(plan.report_id)  # read before the fold hears of it and opens them
        parts = [part async for part in stored if is_to_be_retried(part, retry, begun=begun)]
        if not (parts or begun):
            raise UnprocessableError(f"report {request.report_id} has no such part that failed: nothing to retry")
        await self._announce.event(retry)
        await self._publish_again(plan, retry, parts)
        await self._store.plans.mark_published(plan.report_id, request.generation)
        return self._metrics.requests.labels("retried").inc()

    async def _publish_again(self, plan: Plan, retry: ReportPlanned, parts: Sequence[Part]) -> None:
        for part in parts:
            task = await self._store.tasks.get(plan.token, part.index)
            if task is None:
                await self._announce.event(self._no_data(part, retry.generation))
            elif part.role is not Role.OVERVIEW or plan.overview == "concurrent":
                again = task.model_copy(update={"generation": retry.generation, "deadline_at": retry.deadline_at})
                stored = StoredTask(part.index, again.lane, again.partition, again.model_dump_json())
                await self._announce.tasks([stored])

    def _is_large(self, request: ReportRequested) -> bool:
        """As far as can be told before it is read."""
        given = request.data.agents or request.data.reviews or () if request.data else request.agent_ids or ()
        return request.data_sha256 is not None or len(given) > self._settings.bulk_parts

    async def plan(self, request: ReportRequested, accepted_at: datetime) -> Plan:
        """Read, freeze and store. Raises RejectedError."""
        if found := objections(request, self._prices):
            raise RejectedError("; ".join(found))
        baseline = await find_baseline(self._store, request, accepted_at)
        source = await self._source_of(request, accepted_at)
        pieces = await source.pieces()
        if not pieces:
            raise RejectedError(f"there are no {'agents' if request.kind == 'agents' else 'reviews'} to judge")
        if found := bad_keys([piece.key for piece in pieces], "agent_id or language"):
            raise RejectedError("; ".join(found))
        settled = settle(
            request,
            accepted_at,
            len(pieces),
            bulk_parts=self._settings.bulk_parts,
            partitions=self._partitions,
            baseline=baseline,
        )
        token, expires_at = self._new_token(), self._expires_at(settled)
        freezer = Freezer(self._store, self._settings, settled, token, expires_at)
        await freezer.freeze(source, pieces)
        if not freezer.rows:
            raise RejectedError("there is nothing to judge: no runs or reviews in the period")
        if baseline is not None:
            await freeze_baseline(self._store, baseline, token, expires_at)
        concurrent = overview_is_concurrent(request, fits_one_task=freezer.fits_one_task)
        return await freezer.store(concurrent=concurrent, planned_at=self._clock())

    async def _publish_unless_done(self, plan: Plan, report: Report | None) -> None:
        """Publish what the plan calls for, but its many tasks only once."""
        published = await self._store.plans.is_published(plan.report_id, 1)
        if not published or report is None or report.status is Status.ACCEPTED:
            await self._announce.event(planned_event(plan))  # again, if it was lost before it was folded
        if published:
            return self._metrics.requests.labels("repeated").inc()
        if plan.without_data:
            await self._publish_without_data(plan)
        await self._publish_tasks(plan)
        await self._store.plans.mark_published(plan.report_id, 1)
        self._metrics.requests.labels("planned").inc()
        self._metrics.planning.labels(plan.kind).observe((self._clock() - plan.accepted_at).total_seconds())
        logger.info("planned %s: %d pieces, %d rows, %s lane", plan.report_id, plan.pieces, plan.rows, plan.lane)
        return None

    async def _publish_without_data(self, plan: Plan) -> None:
        """A piece without rows is a failed part that nobody has to judge."""
        async for part in self._store.parts.of_report(plan.report_id):
            if part.facts.rows == 0 and part.index < plan.pieces:
                await self._announce.event(self._no_data(part, 1))

    async def _publish_tasks(self, plan: Plan) -> None:
        """The overview first where it runs with the pieces, as it is the longest; in one go, to be read in one."""
        batch: list[StoredTask] = []
        if plan.overview == "concurrent":
            batch += [task async for task in self._store.tasks.of_plan(plan.token, plan.pieces, plan.pieces + 1)]
        async for task in self._store.tasks.of_plan(plan.token, 0, plan.pieces):
            batch.append(task)
            if len(batch) == TASKS_AT_ONCE:
                await self._announce.tasks(batch)
                batch.clear()
        await self._announce.tasks(batch)

    async def _reject(self, request: ReportRequested, reason: str) -> None:
        self._metrics.requests.labels("rejected").inc()
        logger.info("rejected %s: %s", request.report_id, reason)
        await self._announce.event(ReportRejected(report_id=request.report_id, reason=reason, at=self._clock()))

    def _no_data(self, part: Part, generation: int) -> PartFailed:
        return PartFailed(
            report_id=part.report_id,
            part_id=part.part_id,
            generation=generation,
            reason=Reason.NO_DATA,
            detail="no runs or reviews were found in the period",
            attempts=0,
            retryable=False,
            seconds=0,
            finished_at=self._clock(),
        )

    def _expires_at(self, settled: Settled) -> datetime:
        return settled.accepted_at + timedelta(days=self._settings.retention_days)


def _accepted(request: ReportRequested, digest: str, accepted_at: datetime) -> ReportAccepted:
    return ReportAccepted(
        report_id=request.report_id,
        kind=request.kind,
        title=request.title,
        owner=request.owner,
        metadata=request.metadata,
        content_sha256=digest,
        accepted_at=accepted_at,
        deadline_at=first_deadline(request, accepted_at),
    )
