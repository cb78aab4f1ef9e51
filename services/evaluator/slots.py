"""Lets as many calls run at once as the judge allows: tasks wait here, by lane, in the order they came."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.evaluator.pacing import Lanes
from shared.settings import LlmSettings
from shared.vocabulary import Lane


class Slots:
    """One pool for both lanes."""

    def __init__(self, limit: int) -> None:
        self.lanes = Lanes(limit)
        self._queues: dict[Lane, deque[asyncio.Future[None]]] = {Lane.SMALL: deque(), Lane.BULK: deque()}

    @asynccontextmanager
    async def taken(self, lane: Lane) -> AsyncIterator[None]:
        """Hold a slot."""
        await self._take(lane)
        try:
            yield
        finally:
            self.lanes.calling[lane] -= 1
            self._wake()

    async def _take(self, lane: Lane) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[lane].append(turn)
        self.lanes.waiting[lane] += 1
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn not in self._queues[lane]:  # the slot had just been given
                self.lanes.calling[lane] -= 1
                self._wake()
            else:
                self._queues[lane].remove(turn)
                self.lanes.waiting[lane] -= 1
            raise

    def _wake(self) -> None:
        while (lane := self.lanes.next()) is not None:
            turn = self._queues[lane].popleft()
            self.lanes.begin(lane)
            if not turn.cancelled():  # else its task is about to find out, and gives the slot back
                turn.set_result(None)


class Pools:
    """A pool per model that has a limit of its own, one for all others."""

    def __init__(self, settings: LlmSettings) -> None:
        self._default = Slots(settings.default_concurrency)
        self._own = {model: Slots(limit) for model, limit in settings.model_concurrency.items()}

    def of(self, model: str) -> Slots:
        """The pool that calls to this model share."""
        return self._own.get(model, self._default)

    @property
    def limit(self) -> int:
        """Calls at once over all pools."""
        return sum(pool.lanes.limit for pool in (self._default, *self._own.values()))

    @property
    def in_flight(self) -> int:
        """Calls right now."""
        return sum(pool.lanes.in_flight for pool in (self._default, *self._own.values()))
