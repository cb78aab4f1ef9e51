"""Writes what many callers bring in as few round trips as possible: a group commit without a timer."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Coalesced(Generic[Item, Result]):
    """One write is in flight; what arrives meanwhile is the next one. A lone item waits for nobody.

    `write` takes items and returns a result for each, in their order; what it raises, every caller of its batch gets.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], Coroutine[None, None, Sequence[Result]]], most: int = 500
    ) -> None:
        self._write = write
        self._most = most
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
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            write = asyncio.create_task(self._write([item for item, _ in batch]))
            await asyncio.wait({write})  # does not raise what the write raises
            for index, (_, turn) in enumerate(batch):
                if turn.done():
                    continue  # its caller was cancelled
                if error := write.exception():
                    turn.set_exception(error)
                else:
                    turn.set_result(write.result()[index])
        self._writing = None
