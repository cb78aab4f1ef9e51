"""Talks to Kafka for every room: one broker object from the settings, and the topics made at start."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from faststream.kafka import KafkaBroker
from faststream.kafka.subscriber.usecase import LogicSubscriber
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.leaving import ended
from shared.letters import Address, RawRecord
from shared.settings import KafkaSettings
from shared.topics import Topics, dead

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 1024 * 1024  # checked by the client before it compresses
LARGEST_LETTER_BYTES = MAX_REQUEST_BYTES + 64 * 1024  # the largest record, its origin and the error
BATCH_OVERHEAD_BYTES = 1024  # what the broker counts beside the records
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
TOPIC_EXISTS = 36
LONGEST_STOP_SECONDS = 400.0  # above the longest drain and what leaving may take


def make_broker(settings: KafkaSettings, room: str) -> KafkaBroker:
    """The room's broker object; nothing is connected yet."""
    return KafkaBroker(
        settings.bootstrap_servers,
        client_id=f"assay-{room}",
        **producer_settings(settings),
        security=_security(settings),
        apply_types=False,  # messages are decoded and checked once, by the chassis
        logger=logging.getLogger("assay.faststream"),
        log_level=logging.DEBUG,
    )


async def connect(broker: KafkaBroker) -> None:
    """Connect as soon as the broker is there."""
    while True:
        try:
            await broker.connect()
        except KafkaError as error:
            logger.warning("not connected yet: %s", error)
            await broker.config.disconnect()  # from what was reached: it would not be tried again
            await asyncio.sleep(1)
        else:
            return


def producer_settings(settings: KafkaSettings) -> dict[str, Any]:
    """How every producer writes: confirmed by all replicas."""
    return {
        "acks": "all",
        "enable_idempotence": settings.idempotence,
        "compression_type": None if settings.compression == "none" else settings.compression,
        "max_request_size": LARGEST_LETTER_BYTES,  # of other records the broker has the last word
    }


def raw_publisher(broker: KafkaBroker) -> Callable[[RawRecord], Awaitable[Address]]:
    """Publishes raw records by the broker object's own producer: its `publish` takes headers of text, each once."""

    async def publish(record: RawRecord) -> Address:
        return await send_raw(broker.config.producer._producer.producer, record)  # type: ignore[attr-defined]  # noqa: SLF001

    return publish


async def send_raw(producer: AIOKafkaProducer, record: RawRecord) -> Address:
    """Publish a record byte by byte; where it is kept, once the broker has confirmed it. Raises KafkaError."""
    value, key, headers = record.content
    kept = await producer.send_and_wait(record.topic, value, key=key, partition=record.partition, headers=[*headers])
    return Address(kept.topic, kept.partition, kept.offset)


async def start(broker: KafkaBroker) -> None:
    """Join all groups of a connected broker at once; FastStream's own start joins one after the other, seconds each."""
    async with asyncio.TaskGroup() as joining:
        for subscriber in cast("list[LogicSubscriber[Any]]", broker.subscribers):
            joining.create_task(_started(subscriber))
    for publisher in broker.publishers:
        await publisher.start()
    broker.running = True


async def _started(subscriber: LogicSubscriber[Any]) -> None:
    """Start it as soon as the broker is there."""
    while True:
        try:
            await subscriber.start()
        except KafkaError as error:
            logger.warning("%s is not read yet: %s", subscriber.topic_names, error)
            if subscriber.consumer is not None:
                await subscriber.consumer.stop()
            await asyncio.sleep(1)
        else:
            return


async def stop(broker: KafkaBroker) -> None:
    """Stop all subscribers at once, each to its own end whatever becomes of the others; then close the producer.

    FastStream's own stop cancels the other subscribers' drains where one of them is cancelled from within.
    """
    async with asyncio.TaskGroup() as stopping:
        for subscriber in cast("list[LogicSubscriber[Any]]", broker.subscribers):
            stopping.create_task(ended(subscriber.stop(), f"the end of {subscriber.topic_names}", LONGEST_STOP_SECONDS))
    broker.running = False
    await ended(broker.config.disconnect(), "closing the producer")


def consumer_settings(settings: KafkaSettings) -> Mapping[str, Any]:
    """How every consumer reads: from the beginning, with one assignor (two would double every join)."""
    assignors = {"sticky": StickyPartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}
    return {
        "auto_offset_reset": "earliest",
        "partition_assignment_strategy": (assignors[settings.assignor],),
        "session_timeout_ms": settings.session_timeout_ms,
        "heartbeat_interval_ms": settings.heartbeat_interval_ms,
        "rebalance_timeout_ms": 60_000,
        "max_poll_interval_ms": 900_000,
        "fetch_max_wait_ms": settings.fetch_max_wait_ms,
    }


async def create_topics(settings: KafkaSettings, topics: Topics) -> None:
    """Create the topics that are missing; leave existing ones as they are. Waits for the broker to be reachable."""
    wanted = {
        topics.requests: settings.requests_partitions,
        topics.tasks: settings.tasks_partitions,
        topics.bulk: settings.tasks_partitions,
        topics.events: settings.events_partitions,
        topics.status: settings.status_partitions,
    }
    compacted = {"cleanup.policy": "compact"}
    roomy = {"max.message.bytes": str(LARGEST_LETTER_BYTES + BATCH_OVERHEAD_BYTES)}
    new = [_new(settings, name, count, compacted if name == topics.status else {}) for name, count in wanted.items()]
    new += [_new(settings, dead(name), 1, roomy) for name in wanted]
    admin = await _admin(settings)
    try:
        response = await admin.create_topics(new)
        for name, code, *message in response.topic_errors:
            if code not in {0, TOPIC_EXISTS}:
                raise KafkaError(f"topic {name} cannot be created: error {code} {message}")
    finally:
        await admin.close()


def _new(settings: KafkaSettings, name: str, partitions: int, configs: Mapping[str, str]) -> NewTopic:
    return NewTopic(name, partitions, settings.replication_factor, topic_configs=dict(configs))


async def _admin(settings: KafkaSettings) -> AIOKafkaAdminClient:
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, **client_security(settings))
        try:
            await admin.start()
        except KafkaConnectionError as error:
            logger.warning("no broker yet at %s: %s", settings.bootstrap_servers, error)
            await asyncio.sleep(1)
        else:
            return admin


def _security(settings: KafkaSettings) -> BaseSecurity | None:
    context = _ssl_context(settings)
    use_ssl = context is not None
    if not settings.security_protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context, use_ssl=True) if context else None
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return kinds[settings.sasl_mechanism](
        settings.sasl_username, settings.sasl_password.get_secret_value(), ssl_context=context, use_ssl=use_ssl
    )


def client_security(settings: KafkaSettings) -> dict[str, Any]:
    """The same for aiokafka's own clients."""
    return {
        "security_protocol": settings.security_protocol,
        "ssl_context": _ssl_context(settings),
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password.get_secret_value(),
    }


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    if not settings.security_protocol.endswith("SSL"):
        return None
    context = ssl.create_default_context(cafile=settings.ssl_cafile)
    if settings.ssl_certfile is not None:
        context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
    return context
