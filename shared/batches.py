"""A FastStream subscriber for quick handlers: records in batches and in order, committed when the batch is done."""

import time
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.subscribing import Subscription, readable_headers, register

POLL_MS = 200
MOST_RECORDS = 500


class BatchedSubscriber(BatchSubscriber):
    """FastStream's, but it listens while it waits (the original sleeps after an empty poll)."""

    polled_at = 0.0

    @property
    def assigned(self) -> bool:
        """The group has been joined."""
        return self.consumer is not None and bool(self.consumer.assignment())

    async def get_msg(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord[Any, Any], ...]:
        """The next batch; empty where nothing came."""
        self.polled_at = time.monotonic()
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=MOST_RECORDS)
        records = tuple(chain.from_iterable(found.values()))
        for record in records:
            record.headers = readable_headers(record)
        return records


def batched_subscriber(broker: KafkaBroker, subscription: Subscription) -> BatchedSubscriber:
    """Register a subscriber of this kind; use it as a decorator, like FastStream's own."""
    return register(
        broker,
        subscription,
        lambda config, specification, calls: BatchedSubscriber(
            config, specification, calls, batch_timeout_ms=POLL_MS, max_records=MOST_RECORDS
        ),
    )
