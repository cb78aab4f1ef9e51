"""Talks to Kafka for people: reads the dead letters that are there, and publishes one again."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from shared.chassis.kafka import TOO_LARGE, client_security, producer_settings, send_raw
from shared.letters import Address, Content, DeadLetter, LetterError, RawRecord, UndeliverableError
from shared.settings import KafkaSettings

PATIENCE_SECONDS = 30.0  # without a sign from the broker
POLL_MS = 200


class BrokerError(LetterError):
    """The broker cannot be reached, or refuses; the message says which and why."""


class Office(NamedTuple):
    """An open connection, and the partitions of every topic as they were when it was opened."""

    consumer: AIOKafkaConsumer
    producer: AIOKafkaProducer
    partitions: dict[str, frozenset[int]]

    async def letters(self, topics: Collection[str]) -> AsyncIterator[DeadLetter]:
        """The dead letters of these topics, up to the ends as they are now; a topic that is not there has none."""
        places = [TopicPartition(topic, number) for topic in topics for number in self.partitions.get(topic, ())]
        begins, ends = await self._span(places)
        for place in sorted(places):
            async for record in self._read(place, begins[place], ends[place]):
                yield _letter(record)

    async def letter(self, address: Address) -> DeadLetter | None:
        """The dead letter at an address, if there is one."""
        topic, number, offset = address
        if number not in self.partitions.get(topic, ()):
            return None
        place = TopicPartition(topic, number)
        begins, ends = await self._span([place])
        begin = max(begins[place], min(offset, ends[place] - 1))
        async for record in self._read(place, begin, min(offset + 1, ends[place])):
            if record.offset == offset:
                return _letter(record)
        return None

    async def send(self, record: RawRecord) -> Address:
        """Publish a record; where it is kept, once the broker has confirmed it. Raises UndeliverableError."""
        known = self.partitions.get(record.topic, frozenset())
        partition = record.partition if record.partition in known else None
        try:
            return await send_raw(self.producer, record._replace(partition=partition))
        except TOO_LARGE as error:
            raise UndeliverableError(f"{record.topic} does not take a record of this size") from error

    async def _span(self, places: list[TopicPartition]) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        if not places:
            return {}, {}
        return await self.consumer.beginning_offsets(places), await self.consumer.end_offsets(places)

    async def _read(self, place: TopicPartition, begin: int, end: int) -> AsyncIterator[ConsumerRecord[Any, Any]]:
        """Records from `begin` to at least before `end`, by position, as an offset may belong to no record.

        What comes along with the last one is read, too: the embedded broker's end falls short by the rest of its batch.
        """
        if begin >= end:
            return
        self.consumer.assign([place])
        self.consumer.seek(place, begin)
        while await self.consumer.position(place) < end:
            for record in await self._some(place):
                yield record

    async def _some(self, place: TopicPartition) -> list[ConsumerRecord[Any, Any]]:
        """The next records; none where the position moved on without. Raises TimeoutError if nothing comes at all."""
        before = await self.consumer.position(place)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = await self.consumer.getmany(place, timeout_ms=POLL_MS)
                if found or await self.consumer.position(place) > before:
                    return [*found.get(place, ())]


@asynccontextmanager
async def opened(settings: KafkaSettings) -> AsyncIterator[Office]:
    """Connect for as long as this lasts. Raises BrokerError, also for whatever fails meanwhile."""
    connection = {"bootstrap_servers": settings.bootstrap_servers, **client_security(settings)}
    try:
        async with AsyncExitStack() as ending:
            admin = AIOKafkaAdminClient(**connection)
            ending.push_async_callback(admin.close)
            await admin.start()
            consumer = AIOKafkaConsumer(
                **connection, enable_auto_commit=False, fetch_max_wait_ms=settings.fetch_max_wait_ms
            )
            ending.push_async_callback(consumer.stop)
            await consumer.start()
            harmless_twice = {**producer_settings(settings), "enable_idempotence": False}  # not every broker has it
            producer = AIOKafkaProducer(**connection, **harmless_twice)
            ending.push_async_callback(producer.stop)
            await producer.start()
            yield Office(consumer, producer, await _partitions(admin))
    except KafkaConnectionError as error:
        raise BrokerError(f"no broker can be reached at {settings.bootstrap_servers}") from error
    except TimeoutError as error:
        raise BrokerError(f"the broker at {settings.bootstrap_servers} does not answer") from error
    except KafkaError as error:
        raise BrokerError(f"the broker at {settings.bootstrap_servers}: {error}") from error


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, frozenset[int]]:
    """Asked of all topics at once: asking for one by name can create it."""
    topics = await admin.describe_topics()
    return {topic["topic"]: frozenset(item["partition"] for item in topic["partitions"]) for topic in topics}


def _letter(record: ConsumerRecord[Any, Any]) -> DeadLetter:
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    content = Content(record.value, record.key, tuple(record.headers))
    return DeadLetter(Address(record.topic, record.partition, record.offset), at, content)
