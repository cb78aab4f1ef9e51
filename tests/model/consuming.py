"""How the rooms read their topics: in parallel with the real offsets, or in batches, as the chassis does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from shared.chassis.batches import Received, handle_by_key
from shared.chassis.dead_letters import DeadLetters, RetryLaterError, UnprocessableError
from shared.offsets import Entry, Offsets, Place, Work
from tests.model.broker import Consumer, Record, Topic
from tests.model.processes import Process, gate

MOST_RECORDS = 4


class Letters(DeadLetters):
    """No event is ever a dead letter here, so one is a fault."""

    def __init__(self, trouble: Callable[[str], None]) -> None:
        self._trouble = trouble

    async def bury(self, record: Any, error: str) -> None:
        self._trouble(f"{record.value!r} was buried: {error}")


class Batches:
    """Quick handlers: a batch in order, by key, then its commit."""

    def __init__(
        self, topic: Topic, process: Process, handle: Callable[..., Awaitable[None]], letters: Letters
    ) -> None:
        self.consumer = Consumer(topic, process)
        self._topic = topic
        self._handle = handle
        self._letters = letters
        process.start(self._run())
        process.at_end.append(lambda: topic.part(self.consumer))
        topic.join(self.consumer)

    async def _run(self) -> None:
        while True:
            if not self.consumer.has_records():
                self.consumer.wake.clear()
                await self.consumer.wake.wait()
                continue
            await gate(f"{self._topic.name}.poll")
            batch, epoch = self.consumer.take(MOST_RECORDS), self.consumer.epoch
            await self._work(batch, epoch)

    async def _work(self, batch: list[Record], epoch: int) -> None:
        received: list[Received[Any]] = [Received(record.value, record) for record in batch]
        await handle_by_key(received, lambda event: event.report_id, self._handle, self._letters)
        for record in batch:
            self._topic.handled(record)
        await self._commit(batch, epoch)

    async def _commit(self, batch: list[Record], epoch: int) -> None:
        await gate(f"{self._topic.name}.commit")
        self.consumer.commit({record.partition: record.offset + 1 for record in batch}, epoch)


class Flow(NamedTuple):
    """How much is taken in: records at once, and open offsets per partition."""

    concurrency: int
    window: int


class InParallel:
    """Slow handlers: many records at once; the offsets say what is committed."""

    def __init__(
        self, topic: Topic, process: Process, handle: Callable[[Any], Awaitable[None]], flow: Flow, offsets: Offsets
    ) -> None:
        self.consumer = Consumer(topic, process)
        self.consumer.on_revoked = self._revoked
        self.consumer.on_assigned = self._assigned
        self._topic = topic
        self._process = process
        self._handle = handle
        self._flow = flow
        self._offsets = offsets
        self._jobs = 0
        self._running = True
        self._dirty = asyncio.Event()
        process.start(self._run())
        process.start(self._commit_loop())
        process.at_end.append(lambda: topic.part(self.consumer))
        topic.join(self.consumer)

    async def _run(self) -> None:
        while self._running:
            if not (self._jobs < self._flow.concurrency and self.consumer.has_records(self._open)):
                self.consumer.wake.clear()
                await self.consumer.wake.wait()
                continue
            await gate(f"{self._topic.name}.poll")
            for record in self.consumer.take(1, self._open):
                entry = self._offsets.deliver(self._place(record.partition), record.offset, record.timestamp)
                if entry is None:
                    self._dirty.set()
                else:
                    self._dispatch(record, entry)

    def _open(self, partition: int) -> bool:
        return self._offsets.held(self._place(partition)) < self._flow.window

    def _place(self, partition: int) -> Place:
        return Place(self._topic.name, partition)

    def _dispatch(self, record: Record, entry: Entry) -> None:
        self._jobs += 1
        self._process.start(self._job(record, entry))

    async def _job(self, record: Record, entry: Entry) -> None:
        try:
            await self._handle(record.value)
        except RetryLaterError as later:
            if self._offsets.postpone(entry):
                asyncio.get_running_loop().call_later(later.seconds, self._again, record, entry)
        except UnprocessableError:  # a dead letter
            self._settle(record, entry)
        else:
            self._settle(record, entry)
        finally:
            self._jobs -= 1
            self.consumer.wake.set()

    def _settle(self, record: Record, entry: Entry) -> None:
        self._topic.handled(record)
        self._offsets.finish(entry)
        self._dirty.set()

    def _again(self, record: Record, entry: Entry) -> None:
        if self._process.alive and self._running and entry.work is Work.WAITING and self._offsets.retry(entry):
            self._dispatch(record, entry)

    async def _commit_loop(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._offsets.committable():
                await gate(f"{self._topic.name}.commit")
                self._commit()

    def _commit(self) -> None:
        marks = self._offsets.committable()
        if self.consumer.commit({place.partition: mark for place, mark in marks.items()}, self.consumer.epoch):
            self._offsets.committed(marks)
            self.consumer.wake.set()

    def _revoked(self) -> None:
        self._commit()
        self._offsets.revoke()

    def _assigned(self, positions: dict[int, int]) -> None:
        marks = {self._place(partition): mark for partition, mark in positions.items()}
        self._offsets.assign(marks.keys(), marks)
        self._dirty.set()

    async def leave(self, first: Callable[[], Awaitable[None]]) -> None:
        """Take nothing more; then the group goes on without us while we finish."""
        self._running = False
        await first()
        self._commit()
        self._topic.part(self.consumer)
