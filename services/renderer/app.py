"""Wires the renderer: events in, states folded, statuses and workbooks out."""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple, cast

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.renderer.clock import Clock
from services.renderer.handlers import Handlers, OverviewTask
from services.renderer.press import Press
from services.renderer.synthesis import overview_task, results_budget
from shared.batches import BatchedSubscriber, batched_subscriber
from shared.chassis import checks, process
from shared.chassis.assembly import Assembly, assemble
from shared.chassis.batches import Received, batch_decoder, handle_by_key
from shared.chassis.http import health_routes
from shared.chassis.sending import Outgoing, Sender, utc_now
from shared.messages import EVENT, EvaluationTask, Event, ReportStatus
from shared.settings import ReportSettings, Settings
from shared.state import Report
from shared.store import Store, connect
from shared.topics import Topics
from shared.vocabulary import Role

NAME = "renderer"

OnEvents = Callable[[str, Sequence[Event]], Awaitable[None]]


class Outbox(NamedTuple):
    """What the renderer says, and to whom."""

    sender: Sender
    topics: Topics

    async def status(self, status: ReportStatus) -> None:
        """Publish a report's latest state."""
        await self.sender.send(Outgoing(self.topics.status, status, key=status.report_id))

    async def overview(self, task: EvaluationTask) -> None:
        """Publish the task of an overview, which always travels in the small lane."""
        await self.sender.send(Outgoing(self.topics.tasks, task, partition=task.partition))

    async def event(self, event: Event) -> None:
        """Publish an event about a report, to whoever folds it."""
        await self.sender.send(Outgoing(self.topics.events, event, key=event.report_id))


def declare(room: Assembly, on_events: OnEvents) -> BatchedSubscriber:
    """Say what this room reads and writes."""
    room.broker.publisher(room.topics.status, schema=ReportStatus, title="ReportStatus")
    room.broker.publisher(room.topics.tasks, schema=EvaluationTask, title="OverviewTask")
    subscriber = batched_subscriber(
        room.broker, room.subscription(room.topics.events, "Fold", batch_decoder(EVENT, room.letters))
    )

    @subscriber
    async def fold(events: list[Event]) -> None:
        """Fold what happened to reports into their states."""
        batch = cast("list[Received[Event]]", events)  # the decoder adds the records; the contract names the messages
        await handle_by_key(batch, lambda event: event.report_id, on_events, room.letters)

    room.watch(subscriber)
    return subscriber


@asynccontextmanager
async def build(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[process.Room]:
    """The renderer, ready to run."""
    room = assemble(NAME, settings.kafka, registry)
    outbox = Outbox(room.sender, room.topics)
    async with connect(settings.mongo) as store:
        press = Press(
            mongo=settings.mongo,
            settings=settings.report,
            leases=store.renders,
            tell=outbox,
            metrics=room.metrics,
            owner=secrets.token_hex(8),
            clock=utc_now,
        )
        handlers = Handlers(
            reports=store.reports,
            announce=outbox,
            overview_task=_overview_task(store, settings.report),
            start_render=press.start,
            prepare_render=press.prepare,
            metrics=room.metrics,
            retention=timedelta(days=settings.report.retention_days),
            monotonic=time.monotonic,
        )
        clock = Clock(
            reports=store.reports,
            files=store.workbooks,
            tell=outbox,
            start_render=press.start,
            metrics=room.metrics,
            now=utc_now,
            every_seconds=settings.report.clock_seconds,
        )
        subscriber = declare(room, handlers.on_events)

        async def prepare() -> None:
            await store.prepare()
            await room.create_topics()
            await press.warm_up()

        ready = {"kafka": checks.joined([subscriber], room.broker), "mongo": checks.reachable(store)}
        pages = Starlette(routes=health_routes(registry, checks.polling([subscriber]), ready))
        try:
            yield process.Room(
                name=NAME,
                broker=room.broker,
                pages=pages,
                host=settings.http.host,
                port=settings.http.port,
                prepare=prepare,
                background=[clock.run, checks.looking_after(room.metrics, room.broker, store)],
            )
        finally:
            await press.stop()


def _overview_task(store: Store, settings: ReportSettings) -> OverviewTask:
    async def task_of(report: Report) -> EvaluationTask | None:
        plan = await store.plans.get(report.report_id)
        template = await store.tasks.get(plan.token, plan.pieces) if plan else None
        if plan is None or template is None:
            return None
        pieces = [part async for part in store.parts.of_report(report.report_id) if part.role is not Role.OVERVIEW]
        return overview_task(
            template,
            pieces,
            generation=report.generation,
            deadline_at=report.deadline_at,
            budget_bytes=results_budget(settings.evidence_bytes, plan.evidence_tokens),
        )

    return task_of


def main() -> None:
    """Run the renderer."""
    process.run(build)
