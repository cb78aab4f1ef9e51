"""The rooms as processes: the services' own handlers, clock, press and ledger, with ports that lead into the world."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from prometheus_client import CollectorRegistry

from services.evaluator.claims import key_of
from services.evaluator.gates import Gates
from services.evaluator.handlers import Handlers as Evaluator
from services.evaluator.handlers import Now
from services.evaluator.ledger import Dials, Ledger
from services.evaluator.slots import Clock as PaceClock
from services.orchestrator.handlers import Handlers as Orchestrator
from services.orchestrator.pieces import Source
from services.orchestrator.sources import source_of
from services.renderer.app import _overview_task
from services.renderer.clock import Clock
from services.renderer.handlers import Handlers as Renderer
from shared.messages import (
    CancelRequested,
    EvaluationTask,
    RenderRequested,
    ReportRequested,
    Request,
    RetryRequested,
)
from shared.offsets import Offsets
from shared.pricing import packaged_prices
from shared.settings import LlmSettings, MongoSettings, ReportSettings
from shared.store.sources import Window
from shared.telemetry import Metrics
from tests.model.consuming import Batches, Flow, InParallel, Letters
from tests.model.database import Books, Renders, Reports
from tests.model.laws import Known
from tests.model.outside import IN_HAND, TASK, Judge, ModelPress, Outbox
from tests.model.processes import Gated, Process
from tests.stores import FakePlans

if TYPE_CHECKING:
    from tests.model.world import World

PARTITIONS = 2
LLM = LlmSettings(_env_file=None, max_concurrency="3")
REPORT = ReportSettings(_env_file=None)
MONGO = MongoSettings(_env_file=None)
METRICS = Metrics(CollectorRegistry(), "model", "0")


@dataclass(frozen=True)
class Rules:
    """The code under test; a broken variant of any of it can be put in its place."""

    orchestrator: type[Orchestrator] = Orchestrator
    renderer: type[Renderer] = Renderer
    clock: type[Clock] = Clock
    evaluator: type[Evaluator] = Evaluator
    ledger: type[Ledger] = Ledger
    offsets: type[Offsets] = Offsets
    batches: type[Batches] = Batches
    reports: type[Reports] = Reports
    plans: type[FakePlans] = FakePlans
    books: type[Books] = Books
    renders: type[Renders] = Renders


def orchestrator(world: "World", process: Process) -> None:
    """Plans what is requested."""
    outbox, stored = Outbox(world), world.stored
    free = stored._replace(
        **{  # type: ignore[arg-type]  # the same by shape
            name: Gated(name, getattr(stored, name)) for name in ("plans", "reports", "parts", "tasks", "evidence")
        }
    )

    async def find_source(request: ReportRequested, accepted_at: datetime) -> Source:
        world.laws.reads(request.report_id)
        window = Window(request.period.from_, request.period.to or accepted_at)
        return await source_of(request, stored.uploads, cast("Any", stored.sources), window)

    handlers = world.rules.orchestrator(
        store=cast("Any", free),
        announce=outbox,
        source_of=find_source,
        settings=REPORT,
        partitions=PARTITIONS,
        clock=world.utc,
        new_token=world.new_name,
        metrics=METRICS,
        prices=packaged_prices(),
    )

    async def on_request(request: Request) -> None:
        IN_HAND.set(Known(None, None, settled=False, generation=world.laws.planned.get(request.report_id, 1)))
        match request:
            case ReportRequested():
                await handlers.on_report(request)
            case CancelRequested():
                await handlers.on_cancel(request.report_id)
            case RenderRequested():
                await outbox.event(request)
            case RetryRequested():
                await handlers.on_retry(request)

    InParallel(world.requests, process, on_request, Flow(concurrency=4, window=1), world.rules.offsets())


def renderer(world: "World", process: Process) -> None:
    """Folds what happened, ticks, and builds workbooks."""
    outbox, stored = Outbox(world), world.stored
    reports = Gated("reports", stored.reports, free=("count_open",))
    press = ModelPress(
        world,
        process,
        mongo=MONGO,
        settings=REPORT,
        leases=cast("Any", Gated("renders", stored.renders)),
        tell=outbox,
        metrics=METRICS,
        owner=process.name,
        clock=world.utc,
    )
    plain = stored._replace(
        **{name: Gated(name, getattr(stored, name)) for name in ("plans", "tasks", "parts")}  # type: ignore[arg-type]
    )
    handlers = world.rules.renderer(
        reports=cast("Any", reports),
        announce=outbox,
        overview_task=_overview_task(cast("Any", plain), REPORT),
        start_render=press.start,
        prepare_render=press.prepare,
        metrics=METRICS,
        retention=timedelta(days=30),
        monotonic=world.stage.loop.time,
    )
    clock = world.rules.clock(
        reports=cast("Any", reports),
        files=stored.files,
        tell=outbox,
        start_render=press.start,
        metrics=METRICS,
        now=world.utc,
        every_seconds=1.0,
    )
    process.start(clock.run())
    world.rules.batches(world.events, process, handlers.on_events, Letters(world.laws.broken.append))


def evaluator(world: "World", process: Process) -> None:
    """Judges, with the ledger."""
    stored = world.stored
    dials = Dials(world.utc, lambda: 0.5, world.new_name, timedelta(seconds=LLM.lease_seconds))
    reports = Gated("reports", stored.reports)
    ledger = world.rules.ledger(cast("Any", Gated("ledger", stored.books)), reports.standings, dials, METRICS)
    handlers = world.rules.evaluator(
        judge=Judge(world),
        pace=Gates(LLM, PaceClock(world.stage.loop.time, world.stage.loop.call_later), METRICS),
        ledger=ledger,
        announce=Outbox(world),
        settings=LLM,
        now=Now(world.utc, world.stage.loop.time, lambda: 0.5, asyncio.sleep),
        metrics=METRICS,
    )

    async def on_task(task: EvaluationTask) -> None:
        TASK.set(task)
        part = stored.parts.of(task.report_id).get(task.part_id)
        settled = key_of(task) in stored.books.settled
        IN_HAND.set(Known(stored.reports.stored.get(task.report_id), part, settled, task.generation))
        await handlers.on_task(task)

    consumer = InParallel(world.tasks, process, on_task, Flow(concurrency=4, window=8), world.rules.offsets())
    process.start(ledger.keep())
    world.leaving[process.name] = lambda: consumer.leave(ledger.leave)


ROOMS: dict[str, Callable[["World", Process], None]] = {
    "orchestrator": orchestrator,
    "renderer": renderer,
    "evaluator": evaluator,
}
