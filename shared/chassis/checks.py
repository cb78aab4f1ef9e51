"""What a room's pages ask: is it alive (its loops turn), and can it do its work (group joined, database there)."""

import time
from collections.abc import Callable, Sequence

from shared.batches import BatchedSubscriber
from shared.chassis.http import Check
from shared.parallel import ParallelSubscriber
from shared.store import Store

LONGEST_SILENCE_SECONDS = 120.0

Subscriber = ParallelSubscriber | BatchedSubscriber


def polling(subscribers: Sequence[Subscriber]) -> Callable[[], str | None]:
    """Alive while every started poll loop turns."""

    def alive() -> str | None:
        now = time.monotonic()
        silent = [sub for sub in subscribers if sub.running and now - sub.polled_at > LONGEST_SILENCE_SECONDS]
        return f"no poll for {LONGEST_SILENCE_SECONDS:.0f} s: {silent[0].topic_names}" if silent else None

    return alive


def joined(subscribers: Sequence[Subscriber]) -> Check:
    """Ready when every group is joined."""

    async def check() -> str | None:
        waiting = [sub.topic_names[0] for sub in subscribers if not sub.assigned]
        return f"waiting for partitions of {', '.join(waiting)}" if waiting else None

    return check


def reachable(store: Store) -> Check:
    """Ready when the database answers."""

    async def check() -> str | None:
        await store.ping()
        return None

    return check
