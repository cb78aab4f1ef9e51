"""Lets as many calls run at once as is allowed: tasks wait here, by lane, in the order they came."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from services.evaluator.lanes import Lanes
from shared.vocabulary import Lane


class Allows(Protocol):
    """Says how many may hold a slot."""

    def allowed(self, now: float) -> int:
        """How many at once, now."""

    def opens_at(self, now: float) -> float | None:
        """When it may be more though nothing happens; None if only somebody's end can help."""

    def begins(self, size: int, now: float) -> None:
        """A task of this size is given a slot."""


class Always(NamedTuple):
    """The same number at all times."""

    limit: int

    def allowed(self, now: float) -> int:
        """How many at once."""
        del now
        return self.limit

    def opens_at(self, now: float) -> float | None:
        """Never."""
        del now
        return None

    def begins(self, size: int, now: float) -> None:
        """Nothing changes by it."""


class Clock(NamedTuple):
    """Seconds that only go forward, and how to be called after so many of them."""

    now: Callable[[], float]
    call_later: Callable[[float, Callable[[], None]], asyncio.Handle]


class _Waiting(NamedTuple):
    size: int
    turn: "asyncio.Future[None]"


class Slots:
    """One pool for both lanes."""

    def __init__(self, pace: Allows, clock: Clock) -> None:
        self.lanes = Lanes(pace.allowed(clock.now()))
        self._pace = pace
        self._clock = clock
        self._queues: dict[Lane, deque[_Waiting]] = {Lane.SMALL: deque(), Lane.BULK: deque()}
        self._alarm: asyncio.Handle | None = None

    @asynccontextmanager
    async def taken(self, lane: Lane, size: int = 0) -> AsyncIterator[None]:
        """Hold a slot."""
        await self._take(lane, size)
        try:
            yield
        finally:
            self.lanes.calling[lane] -= 1
            self.wake()

    def wake(self) -> None:
        """Give slots to those who wait, as far as it is allowed now; look again when more may be."""
        while (lane := self._next()) is not None:
            waiting = self._queues[lane].popleft()
            self.lanes.begin(lane)
            if not waiting.turn.cancelled():  # else its task is about to find out, and gives the slot back
                self._pace.begins(waiting.size, self._clock.now())
                waiting.turn.set_result(None)
        self._set_alarm()

    def _next(self) -> Lane | None:
        self.lanes.limit = self._pace.allowed(self._clock.now())
        return self.lanes.next()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self._clock.now()
        at = self._pace.opens_at(now) if any(self._queues.values()) else None
        if at is not None:
            self._alarm = self._clock.call_later(at - now, self.wake)

    async def _take(self, lane: Lane, size: int) -> None:
        waiting = _Waiting(size, asyncio.get_running_loop().create_future())
        self._queues[lane].append(waiting)
        self.lanes.waiting[lane] += 1
        self.wake()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting not in self._queues[lane]:  # the slot had just been given
                self.lanes.calling[lane] -= 1
                self.wake()
            else:
                self._queues[lane].remove(waiting)
                self.lanes.waiting[lane] -= 1
            raise
