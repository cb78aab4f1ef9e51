"""Wires the orchestrator: requests in, plans stored, events and tasks out."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple, assert_never

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.orchestrator import jaeger
from services.orchestrator.handlers import Handlers, SourceOf
from services.orchestrator.pieces import Source
from services.orchestrator.sources import source_of
from services.orchestrator.traces import TracedAgents, Tracer
from shared.chassis import checks, process
from shared.chassis.assembly import Assembly, assemble
from shared.chassis.dead_letters import decoder
from shared.chassis.http import health_routes
from shared.chassis.sending import Outgoing, Sender, utc_now
from shared.messages import (
    REQUEST,
    CancelRequested,
    EvaluationTask,
    Event,
    RenderRequested,
    ReportRequested,
    Request,
    RetryRequested,
)
from shared.parallel import Flow, ParallelSubscriber, parallel_subscriber
from shared.pricing import packaged_prices
from shared.settings import JaegerSettings, Settings
from shared.store import Store, connect
from shared.store.sources import Window
from shared.store.tasks import StoredTask
from shared.topics import Topics
from shared.vocabulary import Kind

NAME = "orchestrator"

ONE_AT_A_TIME = 1  # requests of one partition in order: a cancellation must not overtake its report


class Outbox(NamedTuple):
    """What the orchestrator says, and to whom."""

    sender: Sender
    topics: Topics

    async def event(self, event: Event) -> None:
        """Publish an event about a report."""
        await self.sender.send(Outgoing(self.topics.events, event, key=event.report_id))

    async def tasks(self, tasks: Sequence[StoredTask]) -> None:
        """Publish tasks, all at once."""
        kind = EvaluationTask.__name__
        await self.sender.send_all(
            Outgoing(self.topics.of_lane(task.lane), task.body, partition=task.partition, of=kind) for task in tasks
        )


def declare(room: Assembly, on_request: Callable[[Request], Awaitable[None]]) -> ParallelSubscriber:
    """Say what this room reads and writes."""
    room.broker.publisher(room.topics.events, schema=Event, title="PlanningEvents")
    room.broker.publisher(room.topics.tasks, schema=EvaluationTask, title="Tasks")
    room.broker.publisher(room.topics.bulk, schema=EvaluationTask, title="BulkTasks")
    subscriber = parallel_subscriber(
        room.broker,
        room.subscription(room.topics.requests, "Requests", decoder(REQUEST)),
        Flow(concurrency=room.kafka.requests_partitions, window=ONE_AT_A_TIME),
    )

    @subscriber
    async def on_requests(request: Request) -> None:
        """Plan a report, or pass on what is wanted of one."""
        await on_request(request)

    room.watch(subscriber)
    return subscriber


def finding(store: Store, tracer: Tracer | None, jaeger: JaegerSettings) -> SourceOf:
    """Where a request's evidence comes from, with telemetry where there is any and it is wanted."""

    async def find(request: ReportRequested, accepted_at: datetime) -> Source:
        window = Window(request.period.from_, request.period.to or accepted_at)
        source = await source_of(request, store.uploads, store.sources, window)
        if tracer is None or request.kind is not Kind.AGENTS or not request.options.telemetry:
            return source
        return TracedAgents(source, tracer, window.start, accepted_at, jaeger.report_seconds)

    return find


@asynccontextmanager
async def build(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[process.Room]:
    """The orchestrator, ready to run."""
    room = assemble(NAME, settings.kafka, registry)
    outbox = Outbox(room.sender, room.topics)
    async with connect(settings.mongo) as store, jaeger.opened(settings.jaeger) as tracer:
        handlers = Handlers(
            store=store,
            announce=outbox,
            source_of=finding(store, tracer, settings.jaeger),
            settings=settings.report,
            partitions=settings.kafka.tasks_partitions,
            clock=utc_now,
            new_token=lambda: secrets.token_hex(12),
            metrics=room.metrics,
            prices=packaged_prices(),
        )

        async def on_request(request: Request) -> None:
            match request:
                case ReportRequested():
                    await handlers.on_report(request)
                case CancelRequested():
                    await handlers.on_cancel(request.report_id)
                case RenderRequested():
                    await outbox.event(request)
                case RetryRequested():
                    await handlers.on_retry(request)
                case _:
                    assert_never(request)

        subscriber = declare(room, on_request)

        async def prepare() -> None:
            await store.prepare()
            await room.create_topics()

        ready = {"kafka": checks.joined([subscriber], room.broker), "mongo": checks.reachable(store)}
        yield process.Room(
            name=NAME,
            broker=room.broker,
            pages=Starlette(routes=health_routes(registry, checks.polling([subscriber]), ready)),
            host=settings.http.host,
            port=settings.http.port,
            prepare=prepare,
            background=[checks.looking_after(room.metrics, room.broker, store)],
        )


def main() -> None:
    """Run the orchestrator."""
    process.run(build)
