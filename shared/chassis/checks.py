"""What a room's pages ask: is it alive (its loops turn), and can it do its work (group joined, database there)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from faststream.kafka import KafkaBroker

from shared.batches import BatchedSubscriber
from shared.chassis.http import Check, trouble
from shared.parallel import ParallelSubscriber
from shared.store import Store
from shared.telemetry import Metrics

LONGEST_SILENCE_SECONDS = 120.0
LOOK_SECONDS = 5.0
PATIENCE_SECONDS = 3.0

Subscriber = ParallelSubscriber | BatchedSubscriber


def polling(subscribers: Sequence[Subscriber]) -> Callable[[], str | None]:
    """Alive while every started poll loop turns."""

    def alive() -> str | None:
        now = time.monotonic()
        silent = [sub for sub in subscribers if sub.running and now - sub.polled_at > LONGEST_SILENCE_SECONDS]
        return f"no poll for {LONGEST_SILENCE_SECONDS:.0f} s: {silent[0].topic_names}" if silent else None

    return alive


def joined(subscribers: Sequence[Subscriber], broker: KafkaBroker) -> Check:
    """Ready when every group is joined and the broker answers: partitions are kept while it hangs."""
    answers = answering(broker)

    async def check() -> str | None:
        waiting = [sub.topic_names[0] for sub in subscribers if not sub.assigned]
        return f"waiting for partitions of {', '.join(waiting)}" if waiting else await answers()

    return check


def reachable(store: Store) -> Check:
    """Ready when the database answers."""

    async def check() -> str | None:
        await store.ping()
        return None

    return check


def answering(broker: KafkaBroker) -> Check:
    """Ready when the broker answers."""

    async def check() -> str | None:
        return None if await broker.ping(timeout=PATIENCE_SECONDS) else "the broker does not answer"

    return check


def looking_after(metrics: Metrics, broker: KafkaBroker, store: Store) -> Callable[[], Awaitable[None]]:
    """A background job that says in the metrics whether broker and database answer; nobody has to ask for it."""
    checks: Mapping[str, Check] = {"kafka": answering(broker), "mongo": reachable(store)}
    for name in checks:
        metrics.reachable.labels(name)

    async def look() -> None:
        while True:
            for name, check in checks.items():
                metrics.reachable.labels(name).set(await trouble(check) is None)
            await asyncio.sleep(LOOK_SECONDS)

    return look
