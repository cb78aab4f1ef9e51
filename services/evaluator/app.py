"""Wires the evaluator: tasks in, calls to the judge, outcomes out."""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter
from starlette.applications import Starlette

from services.evaluator.claims import Done
from services.evaluator.dead_tasks import failing_parts
from services.evaluator.gates import Gates
from services.evaluator.handlers import Handlers, Now
from services.evaluator.judge import Judge, open_judge
from services.evaluator.ledger import Dials, Ledger
from services.evaluator.remembered import Memory
from services.evaluator.repeated import repeated
from services.evaluator.slots import Clock
from shared.chassis import checks, process
from shared.chassis.assembly import Assembly, assemble
from shared.chassis.dead_letters import decoder
from shared.chassis.http import Check, health_routes
from shared.chassis.sending import Outgoing, Sender, utc_now
from shared.messages import EvaluationTask, Outcome, PartDelayed
from shared.parallel import Flow, ParallelSubscriber, parallel_subscriber
from shared.pricing import packaged_prices
from shared.settings import Settings, SettingsError
from shared.store import Store, connect
from shared.telemetry import Metrics
from shared.topics import Topics
from shared.vocabulary import Lane, Reason

NAME = "evaluator"
LOOK_AHEAD = 60  # tasks decoded, claimed or being stored beside those in a slot: a free slot waits for none of it
MOST_OPEN = 256  # records of one partition that may be done or waiting behind one that is not
OF_THE_ACCOUNT = frozenset({Reason.AUTH_FAILED, Reason.QUOTA_EXHAUSTED})  # such a judge is of no use: not ready
OF_ONE_MODEL = frozenset({Reason.MODEL_UNAVAILABLE})  # named by a request: worth a note, others go on
LONGEST_DRAIN_SECONDS = 330.0  # above the longest part

OnTask = Callable[[EvaluationTask], Awaitable[None]]


class Outbox(NamedTuple):
    """What the evaluator says, and to whom."""

    sender: Sender
    topics: Topics

    async def event(self, event: Outcome | PartDelayed) -> None:
        """Publish an event about a part."""
        await self.sender.send(Outgoing(self.topics.events, event, key=event.report_id))

    async def outcome(self, report_id: str, outcome: Done) -> None:
        """Publish a stored outcome, to the letter."""
        await self.sender.send(Outgoing(self.topics.events, outcome.body, key=report_id, of=outcome.kind))


def declare(
    room: Assembly, slots: int, on_task: OnTask, leave: Callable[[], Awaitable[None]]
) -> list[ParallelSubscriber]:
    """Say what this room reads and writes: one subscriber per lane, one handler for both."""
    room.broker.publisher(room.topics.events, schema=Outcome | PartDelayed, title="Outcomes")
    flow = Flow(
        concurrency=slots + LOOK_AHEAD,
        at_least=LOOK_AHEAD // 3,
        window=MOST_OPEN,
        drain_seconds=LONGEST_DRAIN_SECONDS,
        leave_first=leave,
    )
    decode = decoder(TypeAdapter(EvaluationTask))
    subscribers = []
    for lane, title in ((Lane.SMALL, "Evaluate"), (Lane.BULK, "EvaluateBulk")):
        subscriber = parallel_subscriber(room.broker, room.subscription(room.topics.of_lane(lane), title, decode), flow)

        @subscriber
        async def evaluate(task: EvaluationTask) -> None:
            """Judge one part."""
            await on_task(task)

        subscribers.append(subscriber)
    room.watch(*subscribers)
    return subscribers


@asynccontextmanager
async def build(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[process.Room]:
    """The evaluator, ready to run. Raises SettingsError if no judge is named."""
    if not settings.openai.api_key.get_secret_value() and not settings.openai.base_url:
        raise SettingsError("OPENAI_API_KEY: no judge is named; set it, or OPENAI_BASE_URL for a server without keys")
    room = assemble(NAME, settings.kafka, registry)
    outbox = Outbox(room.sender, room.topics)
    room.letters.also = failing_parts(outbox.event, utc_now)
    gates = Gates(settings.llm, Clock(time.monotonic, asyncio.get_running_loop().call_later), room.metrics)
    prices = packaged_prices()
    judge = open_judge(settings.openai, prices, utc_now)
    async with connect(settings.mongo) as store:
        ledger = _ledger(settings, store, room.metrics)
        memory = _memory(settings, store, room.metrics)
        handlers = Handlers(
            judge=judge,
            pace=gates,
            ledger=ledger,
            announce=outbox,
            settings=settings.llm,
            now=Now(utc_now, time.monotonic, random.random, asyncio.sleep),
            metrics=room.metrics,
            prices=prices.version,
            around=lambda outcome_of: memory.remembered(repeated(outcome_of)),
        )
        room.metrics.limit.set_function(lambda: gates.limit)
        subscribers = declare(room, gates.most, handlers.on_task, ledger.leave)

        async def prepare() -> None:
            await store.prepare()
            await room.create_topics()
            await judge.warm_up(gates.most)

        ready = {
            "kafka": checks.joined(subscribers, room.broker),
            "mongo": checks.reachable(store),
            "judge": _usable(judge, gates),
        }

        def notes() -> Sequence[str]:
            return gates.troubles(OF_ONE_MODEL)

        pages = Starlette(routes=health_routes(registry, checks.polling(subscribers), ready, notes))
        try:
            async with _kept_going(ledger.keep(), gates.keep(judge.has)):
                yield process.Room(
                    name=NAME,
                    broker=room.broker,
                    pages=pages,
                    host=settings.http.host,
                    port=settings.http.port,
                    prepare=prepare,
                    background=[checks.looking_after(room.metrics, room.broker, store)],
                )
        finally:
            await judge.close()


def _ledger(settings: Settings, store: Store, metrics: Metrics) -> Ledger:
    lease = timedelta(seconds=settings.llm.lease_seconds)
    dials = Dials(utc_now, random.random, lambda: secrets.token_hex(8), lease)
    return Ledger(store.ledger, store.reports.standings, dials, metrics)


def _memory(settings: Settings, store: Store, metrics: Metrics) -> Memory:
    return Memory(
        store.judgements,
        judge_url=settings.openai.base_url,
        retention=timedelta(days=settings.report.retention_days),
        utc=utc_now,
        metrics=metrics,
    )


@asynccontextmanager
async def _kept_going(*jobs: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these to the very end of the room: calls go on after the group is left."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _usable(judge: Judge, gates: Gates) -> Check:
    """The judge is reachable, and takes the key and the account."""

    async def check() -> str | None:
        return "; ".join(gates.troubles(OF_THE_ACCOUNT)) or await judge.trouble()

    return check


def main() -> None:
    """Run the evaluator."""
    process.run(build)
