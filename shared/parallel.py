"""A FastStream subscriber for slow handlers: many records of one partition at once, at least once, safely committed.

Each record goes through FastStream's own pipeline in a task of its own; what is replaced is the poll loop and the
meaning of ack and nack, which speak of this one record (`RecordHandle`). Facts behind the rules: docs/engine.md.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from shared.committing import Commits, committed_offset
from shared.leaving import ended
from shared.offsets import Entry, Offsets, Place, Work
from shared.readings import Reading, age_seconds
from shared.subscribing import Subscription, hide_unreadable_headers, register

logger = logging.getLogger(__name__)

BACKOFF_SECONDS = 0.5  # before the second attempt; doubles up to the longest
LONGEST_BACKOFF_SECONDS = 30.0
MOST_DOUBLINGS = 16  # after a thousand the number is no float any more
IDLE_POLL_MS = 200


@dataclass(frozen=True)
class Flow:
    """How much is taken in, and how it ends.

    `concurrency`: records worked on at once; as many again may wait to be tried again. Taking begins when there is
    room for `at_least` records, so that a poll is worth its while. `window`: open offsets per partition; None is no
    bound of its own. What is in hand at the end has `drain_seconds`: before the group is left,
    or, with `leave_first`, after it: that is called, then others take the partitions while this one finishes.
    """

    concurrency: int
    at_least: int = 1
    window: int | None = None
    drain_seconds: float = 15.0
    leave_first: Callable[[], Awaitable[None]] | None = None


class RecordHandle:
    """Stands in for the consumer on one record: commit marks it done, seek means "again later"."""

    def __init__(self, subscriber: "ParallelSubscriber", record: ConsumerRecord[Any, Any], entry: Entry) -> None:
        self._subscriber = subscriber
        self._record = record
        self.entry = entry
        self.settled = False
        self.delay: float | None = None

    async def commit(self) -> None:
        """Called by FastStream's ack and reject."""
        self.settled = True
        self._subscriber.settle(self.entry)

    def seek(self, partition: TopicPartition | None = None, offset: int | None = None) -> None:
        """Called by FastStream's nack; after `delay` seconds if set, else with full-jitter backoff."""
        del partition, offset
        self.settled = True
        self._subscriber.again(self._record, self.entry, self.delay)


class ParallelSubscriber(DefaultSubscriber):
    """Takes records while there is room, hands each to the handler, commits what is done without gaps."""

    def __init__(self, *args: Any, flow: Flow, **kwargs: Any) -> None:  # noqa: ANN401  # FastStream's own arguments
        super().__init__(*args, **kwargs)
        self.flow = flow
        self.offsets = Offsets()
        self.polled_at = time.monotonic()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._retries: deque[tuple[ConsumerRecord[Any, Any], Entry]] = deque()
        self._waiting = 0  # for the time of their next attempt
        self._done = 0
        self._rebalances = 0
        self._listener = _Listener(self)
        self._wake = asyncio.Event()
        self._commits = Commits(self.offsets, self._wake.set)

    @property
    def assigned(self) -> bool:
        """The group has been joined: every partition of ours is known."""
        return self.consumer is not None and not self._commits.held

    @property
    def lag(self) -> int:
        """Records that are not done, up to the end of the assigned partitions as last seen."""
        if self.consumer is None:
            return 0
        ends = ((self.consumer.highwater(TopicPartition(*place)), mark) for place, mark in self.offsets.marks.items())
        return sum(max(0, end - mark) for end, mark in ends if end is not None)

    def reading(self) -> Reading:
        """How it is doing."""
        return Reading(
            lag=self.lag,
            lag_seconds=age_seconds(self.offsets.oldest, time.time()),
            in_hand=len(self._jobs),
            waiting=self._waiting + len(self._retries),
            done=self._done,
            commit_failures=self._commits.failures,
            rebalances=self._rebalances,
        )

    async def start(self) -> None:
        """Join the group and begin."""
        await super().start()
        if self.calls:
            self.add_task(self._commits.run, (self.consumer,))

    async def stop(self) -> None:
        """Take nothing more, finish what is in hand within the bound, commit; leave the group after that or first."""
        self.running = False
        self._wake.set()
        if self.flow.leave_first is not None:
            await self.flow.leave_first()
            await self._leave()
        if self._jobs:
            await asyncio.wait([*self._jobs], timeout=self.flow.drain_seconds)
        for job in [*self._jobs]:
            job.cancel()  # not acknowledged: another process will do it
        if self._jobs:
            await asyncio.wait([*self._jobs], timeout=1)
        await self._leave()

        await super().stop()

    async def _leave(self) -> None:
        """Commit what is done and leave the group; what is in hand goes on. Harmless when repeated."""
        if self.consumer is None:
            return
        await ended(self._commits.now(self.consumer), "the last commit")
        consumer, self.consumer = self.consumer, None
        for task in self.tasks:
            task.cancel()  # the loops that poll and commit
        await ended(consumer.stop(), "leaving the group")

    # --- taking records in

    async def _run_consume_loop(self, consumer: AIOKafkaConsumer) -> None:
        while self.running:
            self.polled_at = time.monotonic()
            self._wake.clear()
            self._start_retries()
            try:
                places = self._open_places(consumer)
                free = self._free()
                if free < self.flow.at_least or not places:
                    await self._pause()
                    continue
                if not await self._take(consumer, places, free):
                    got = await consumer.getmany(*places, timeout_ms=IDLE_POLL_MS, max_records=1)
                    self._accept(got)
            except ConsumerStoppedError:
                return
            except (KafkaError, IllegalStateError) as error:
                logger.warning("poll failed, trying again: %r", error)
                await asyncio.sleep(1)

    def _free(self) -> int:
        """How many records may be taken: those that wait for another attempt leave their places, but are bounded."""
        waiting = self._waiting + len(self._retries)
        return self.flow.concurrency - len(self._jobs) - max(0, waiting - self.flow.concurrency)

    def _open_places(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        """The partitions whose window has room, emptiest first."""
        window = self.flow.window
        places = [place for place in consumer.assignment() if window is None or self._held(place) < window]
        return sorted(places, key=self._held)

    def _held(self, place: TopicPartition) -> int:
        return self.offsets.held(Place(place.topic, place.partition))

    async def _take(self, consumer: AIOKafkaConsumer, places: list[TopicPartition], free: int) -> int:
        """One round over the partitions, a fair share from each; returns how many records were taken."""
        taken = 0
        share = max(1, free // len(places))
        for place in places:
            room = min(share, free - taken)
            if self.flow.window is not None:
                room = min(room, self.flow.window - self._held(place))
            if room > 0:
                taken += self._accept(await consumer.getmany(place, timeout_ms=0, max_records=room))
        return taken

    def _accept(self, batch: Mapping[TopicPartition, list[ConsumerRecord[Any, Any]]]) -> int:
        """Must not wait: between getmany and here no rebalance may come."""
        count = 0
        for place, records in batch.items():
            for record in records:
                count += 1
                entry = self.offsets.deliver(Place(place.topic, place.partition), record.offset, record.timestamp)
                if entry is None:
                    self._commits.call_for()
                else:
                    self._dispatch(record, entry)
        return count

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), 1.0)
        except TimeoutError:
            return

    # --- working on them

    def _dispatch(self, record: ConsumerRecord[Any, Any], entry: Entry) -> None:
        hide_unreadable_headers(record)
        record.consumer = handle = RecordHandle(self, record, entry)
        job = asyncio.create_task(self.consume(record))
        self._jobs.add(job)

        def over(job: asyncio.Task[Any]) -> None:
            self._jobs.discard(job)
            self._wake.set()
            if not handle.settled and self.running:  # nobody acknowledged it: never stall the partition
                handle.seek()

        job.add_done_callback(over)

    def settle(self, entry: Entry) -> None:
        """The record of this entry is done."""
        self._done += 1
        self.offsets.finish(entry)
        self._commits.call_for()

    def again(self, record: ConsumerRecord[Any, Any], entry: Entry, delay: float | None) -> None:
        """The record of this entry is to be worked on again later, if its partition is still ours then."""
        held = self.offsets.fail(entry) if delay is None else self.offsets.postpone(entry)
        if not held:
            return
        if delay is None:
            longest = min(BACKOFF_SECONDS * 2 ** min(entry.attempt, MOST_DOUBLINGS), LONGEST_BACKOFF_SECONDS)
            delay = random.uniform(BACKOFF_SECONDS / 2, longest)  # noqa: S311  # jitter, not secrecy
        self._waiting += 1
        asyncio.get_running_loop().call_later(delay, self._queue_retry, record, entry)

    def _queue_retry(self, record: ConsumerRecord[Any, Any], entry: Entry) -> None:
        self._waiting -= 1
        self._retries.append((record, entry))
        self._wake.set()

    def _start_retries(self) -> None:
        while self._retries and len(self._jobs) < self.flow.concurrency:
            record, entry = self._retries.popleft()
            if entry.work is Work.WAITING and self.offsets.retry(entry):
                self._dispatch(record, entry)

    # --- rebalances, eager: everything is revoked, then something is assigned

    async def revoked(self) -> None:
        """Commit what is done while the partitions are still ours."""
        if self.consumer is not None:
            await self._commits.now(self.consumer)
        self._commits.held = True
        self.offsets.revoke()

    async def taken(self, assigned: set[TopicPartition]) -> None:
        """Adopt what still runs, from the offsets the group has committed."""
        self._rebalances += 1
        committed: dict[Place, int | None] = {}
        for place in assigned:
            where = Place(place.topic, place.partition)
            committed[where] = await committed_offset(self.consumer, where) if self.consumer else None
        self.offsets.assign(committed.keys(), committed)
        self._commits.held = False
        self._commits.call_for()
        self._wake.set()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, subscriber: ParallelSubscriber) -> None:
        self._subscriber = subscriber

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        del revoked
        await self._subscriber.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._subscriber.taken(assigned)


def parallel_subscriber(broker: KafkaBroker, subscription: Subscription, flow: Flow) -> ParallelSubscriber:
    """Register a subscriber of this kind; use it as a decorator, like FastStream's own."""
    return register(
        broker,
        subscription,
        lambda config, specification, calls: ParallelSubscriber(config, specification, calls, flow=flow),
    )
