"""A FastStream subscriber for quick handlers: records in batches and in order, committed when the batch is done."""

import asyncio
import time
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber, LogicSubscriber

from shared.leaving import ended
from shared.readings import Reading, age_seconds
from shared.subscribing import Subscription, hide_unreadable_headers, register

POLL_MS = 200
GATHER_SECONDS = 0.005  # for each record of the batch before: the more came, the more are on their way, and together
LONGEST_GATHER_SECONDS = 0.05  # they cost little more than one alone
MOST_RECORDS = 500


class BatchedSubscriber(BatchSubscriber):
    """FastStream's, but it listens while it waits (the original sleeps after an empty poll)."""

    polled_at = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # FastStream's own arguments
        """As FastStream's."""
        super().__init__(*args, **kwargs)
        self._listener = self._counting = _Counting()
        self._read: dict[TopicPartition, int] = {}
        self._batch: tuple[ConsumerRecord[Any, Any], ...] = ()
        self._done = 0

    @property
    def assigned(self) -> bool:
        """The group has been joined."""
        return self.consumer is not None and bool(self.consumer.assignment())

    @property
    def lag(self) -> int:
        """Records that are not done, up to the end of the assigned partitions as last seen."""
        if self.consumer is None:
            return 0
        ends = ((self.consumer.highwater(place), self._read.get(place)) for place in self.consumer.assignment())
        unread: int = sum(max(0, end - read) for end, read in ends if end is not None and read is not None)
        return len(self._batch) + unread

    def reading(self) -> Reading:
        """How it is doing."""
        return Reading(
            lag=self.lag,
            lag_seconds=age_seconds(min((record.timestamp for record in self._batch), default=None), time.time()),
            in_hand=len(self._batch),
            waiting=0,  # a batch that fails is tried again where it is
            done=self._done,
            commit_failures=0,  # FastStream says them in its log and takes the batch again
            rebalances=self._counting.rebalances,
        )

    async def get_msg(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord[Any, Any], ...]:
        """The next batch; empty where nothing came."""
        self.polled_at = time.monotonic()
        before, self._batch = len(self._batch), ()
        self._done += before
        if before > 1:
            await asyncio.sleep(min(GATHER_SECONDS * before, LONGEST_GATHER_SECONDS))
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        records = tuple(chain.from_iterable(found.values()))
        for record in records:
            hide_unreadable_headers(record)
            self._read[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._batch = records
        return records

    async def stop(self) -> None:
        """Finish the batch, commit, leave the group."""
        await super(LogicSubscriber, self).stop()  # all but its last step, which waits for the broker without end
        if self.consumer is not None:
            consumer, self.consumer = self.consumer, None
            await ended(consumer.stop(), "leaving the group")


class _Counting(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Counts how often the group has shared out its partitions anew."""

    rebalances = 0

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """The first half of a rebalance."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """The second half."""
        del assigned
        self.rebalances += 1


def batched_subscriber(broker: KafkaBroker, subscription: Subscription) -> BatchedSubscriber:
    """Register a subscriber of this kind; use it as a decorator, like FastStream's own."""
    return register(
        broker,
        subscription,
        lambda config, specification, calls: BatchedSubscriber(
            config, specification, calls, batch_timeout_ms=POLL_MS, max_records=MOST_RECORDS
        ),
    )
