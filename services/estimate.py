"""Says what a report is likely to take before it is started: it is planned in earnest, into a store that keeps nothing.

Planning is the orchestrator's, the prompts are the evaluator's, so an estimate cannot drift from what is done.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from prometheus_client import CollectorRegistry

from services.client.orders import NotEstimatedError
from services.evaluator.forecast import Forecast, Range, forecast
from services.orchestrator import jaeger
from services.orchestrator.app import finding
from services.orchestrator.handlers import Handlers
from services.orchestrator.pieces import RejectedError
from services.renderer.synthesis import LONGEST_TEXT, MOST_POINTS, overview_task, results_budget
from shared.evaluations import Part, Usage
from shared.messages import EvaluationTask, ReportRequested
from shared.pricing import PriceTable, packaged_prices
from shared.settings import ReportSettings, Settings
from shared.state import Plan
from shared.store import Store, StoreUnavailableError, connect
from shared.store.evidence import PieceRows
from shared.store.tasks import StoredTask
from shared.telemetry import Metrics
from shared.version import VERSION
from shared.vocabulary import PIECE_ROLE, Role

ROOM_PER_PIECE = LONGEST_TEXT * (1 + MOST_POINTS // 2)  # bytes that the judge's words on a piece add to an overview


class Estimate(NamedTuple):
    """What a report is likely to take; `cost_usd` None: its judge has no price."""

    request: ReportRequested
    pieces: int
    without_data: int
    total: Forecast
    cost_usd: tuple[float, float] | None
    prices: str


def estimated(request: ReportRequested, settings: Settings, now: datetime) -> Estimate:
    """Plan and count; nothing is started, stored or asked. Raises NotEstimatedError."""
    try:
        return asyncio.run(_estimate(request, settings, now))
    except RejectedError as error:
        raise NotEstimatedError(f"the request would be rejected: {error}") from error
    except StoreUnavailableError as error:
        where = "the evidence is in the source database (MONGO_URL), which cannot be reached from here"
        raise NotEstimatedError(f"{where}: neither parts nor tokens nor cost can be known") from error


def in_words(estimate: Estimate) -> Iterator[str]:
    """A line each for parts, calls, tokens and cost."""
    options, total = estimate.request.options, estimate.total
    noun = f"{PIECE_ROLE[estimate.request.kind]}{'s' if estimate.pieces != 1 else ''}"
    mute = f", {estimate.without_data} of them without data and not judged" if estimate.without_data else ""
    yield f"Parts: {estimate.pieces} {noun} and an overview{mute}"
    yield f"Calls: {total.calls:,}, if none fails"
    yield f"Input tokens: {_between(total.input)}"
    yield f"Output tokens: {_between(total.output)}"
    if estimate.cost_usd is None:
        yield f"Cost: unpriced, as {options.judge_model} is not in the price table of {estimate.prices}"
    else:
        low, high = estimate.cost_usd
        yield f"Cost: {low:.4f} to {high:.4f} USD with {options.judge_model}, by the price table of {estimate.prices}"
    tokens = total.input.plus(total.output)
    if options.token_limit is not None and options.token_limit < tokens.high:
        yield f"The token limit of {options.token_limit:,} may end it early"
    if options.cost_limit_usd is not None and estimate.cost_usd and options.cost_limit_usd < estimate.cost_usd[1]:
        yield f"The cost limit of {options.cost_limit_usd:g} USD may end it early"


async def _estimate(request: ReportRequested, settings: Settings, now: datetime) -> Estimate:
    prices = packaged_prices()
    kept = _Nowhere()
    async with connect(settings.mongo) as store, jaeger.opened(settings.jaeger) as tracer:
        planning = Handlers(
            store=cast("Store", _Shelf(kept, kept, kept)),  # planning writes to these three and reads none
            announce=_Silence(),
            source_of=finding(store, tracer, settings.jaeger),
            settings=settings.report,
            partitions=settings.kafka.tasks_partitions,
            clock=lambda: now,
            new_token=lambda: "estimate",
            metrics=Metrics(CollectorRegistry(), "estimate", VERSION),
            prices=prices,
        )
        plan = await planning.plan(_alone(request), now)
    total = kept.total.plus(_overview(kept, plan, settings.report))
    cost = _cost(total, plan.options.judge_model, prices)
    return Estimate(request, plan.pieces, plan.without_data, total, cost, prices.version)


def _alone(request: ReportRequested) -> ReportRequested:
    """Without the report it is compared with, which changes no task."""
    return request.model_copy(update={"options": request.options.model_copy(update={"baseline": None})})


class _Nowhere:
    """Where planning puts what it stores: each task is counted and forgotten, but for the overview's."""

    def __init__(self) -> None:
        self.total = Forecast()
        self.overview: EvaluationTask | None = None
        self.parts: tuple[Part, ...] = ()

    async def insert(self, token: str, items: Sequence[StoredTask | PieceRows], expires_at: datetime) -> None:
        """Count the tasks among the items."""
        del token, expires_at
        for item in items:
            if isinstance(item, StoredTask):
                self._count(EvaluationTask.model_validate_json(item.body))

    async def store(self, plan: Plan, parts: tuple[Part, ...], expires_at: datetime) -> Plan:
        """Remember the parts."""
        del expires_at
        self.parts = parts
        return plan

    def _count(self, task: EvaluationTask) -> None:
        if task.role is Role.OVERVIEW:
            self.overview = task
        else:
            self.total = self.total.plus(forecast(task))


class _Shelf(NamedTuple):
    """The three collections that planning writes to."""

    tasks: _Nowhere
    evidence: _Nowhere
    plans: _Nowhere


class _Silence:
    """Nobody is told of an estimate."""

    async def event(self, event: object) -> None:
        """Say nothing."""

    async def tasks(self, tasks: Sequence[StoredTask]) -> None:
        """Publish nothing."""


def _overview(kept: _Nowhere, plan: Plan, settings: ReportSettings) -> Forecast:
    """Judged with the pieces, its task is known; judged after them, it carries what will be said of each."""
    task = kept.overview
    if task is None:
        return Forecast()
    if plan.overview == "concurrent":
        return forecast(task)
    budget = results_budget(settings.evidence_bytes, plan.evidence_tokens)
    pieces = [part for part in kept.parts if part.role is not Role.OVERVIEW]
    filled = overview_task(task, pieces, generation=1, deadline_at=plan.deadline_at, budget_bytes=budget)
    return forecast(filled, more_bytes=min(budget, len(pieces) * ROOM_PER_PIECE))


def _cost(total: Forecast, model: str, prices: PriceTable) -> tuple[float, float] | None:
    """From the low to the high ends, nothing cached."""
    found = [
        prices.cost_usd(Usage(model=model, input_tokens=read, output_tokens=written))
        for read, written in zip(total.input, total.output, strict=True)
    ]
    low, high = found
    return (low, high) if low is not None and high is not None else None


def _between(tokens: Range) -> str:
    return f"about {tokens.low:,} to {tokens.high:,}"
