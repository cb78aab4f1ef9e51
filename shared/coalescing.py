"""Writes what many callers bring in few round trips: a group commit."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

GATHER_SECONDS = 0.01
MOST_ITEMS = 500


class Coalesced(Generic[Item, Result]):
    """One write is in flight; what arrives meanwhile is the next one, which begins GATHER_SECONDS after it or later.

    So an item that comes alone is written at once, and many that come in a row share their writes. `write` takes items
    and returns a result for each, in their order; what it raises, every caller of its batch gets.
    """

    def __init__(self, write: Callable[[Sequence[Item]], Coroutine[None, None, Sequence[Result]]]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """The result of writing this item."""
        turn: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, turn))
        if self._writing is None:
            self._writing = asyncio.create_task(self._run())
        return await turn

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_ITEMS], self._waiting[MOST_ITEMS:]
            pause = asyncio.create_task(asyncio.sleep(GATHER_SECONDS))
            write = asyncio.create_task(self._write([item for item, _ in batch]))  # noqa: RUF006  # it is awaited
            await asyncio.wait({write})  # does not raise what the write raises
            for index, (_, turn) in enumerate(batch):
                if turn.done():
                    continue  # its caller was cancelled
                if error := write.exception():
                    turn.set_exception(error)
                else:
                    turn.set_result(write.result()[index])
            await pause
        self._writing = None
