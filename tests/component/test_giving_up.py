"""On a real broker: what cannot be kept as a dead letter is not committed, and holds nobody up."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from faststream.kafka import KafkaBroker
from pydantic import BaseModel, TypeAdapter

from services.client import dead
from services.standalone import embedded
from services.standalone.ports import free_ports
from shared import lifeline
from shared.chassis.dead_letter_office import BrokerError
from shared.chassis.dead_letters import DeadLetters, decoder, settling
from shared.chassis.kafka import MAX_REQUEST_BYTES, create_topics, make_broker, raw_publisher, start
from shared.letters import Address, NotThereError, RawRecord, UndeliverableError
from shared.parallel import Flow, parallel_subscriber
from shared.settings import KafkaSettings
from shared.subscribing import Subscription
from shared.topics import named
from tests.stacks import until

PREFIX = "giving-up."
TOPICS = named(PREFIX)
GROUP = "giving-up"
PLACE = TopicPartition(TOPICS.requests, 0)


class Named(BaseModel):
    name: str


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    port = next(free_ports())
    program = embedded.broker(port)
    environment = {**os.environ, **program.environment}  # noqa: TID251
    with subprocess.Popen(lifeline.command(*program.command), env=environment, stdout=subprocess.DEVNULL) as process:
        yield KafkaSettings(
            bootstrap_servers=f"127.0.0.1:{port}",
            topic_prefix=PREFIX,
            requests_partitions=1,
            idempotence=False,
            fetch_max_wait_ms=20,
            _env_file=None,
        )
        process.kill()


@pytest.fixture
async def producer(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    await create_topics(kafka, TOPICS)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, max_request_size=2 * MAX_REQUEST_BYTES)
    await producer.start()
    yield producer
    await producer.stop()


class Unsteady:
    """Publishes letters, but not while it is `away`."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._publish = raw_publisher(broker)
        self.away = True
        self.refused = 0

    async def __call__(self, record: RawRecord) -> Address:
        if self.away:
            self.refused += 1
            raise KafkaConnectionError("no broker")
        return await self._publish(record)


async def committed(kafka: KafkaSettings) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        return int((await admin.list_consumer_group_offsets(GROUP, partitions=[PLACE]))[PLACE].offset)
    finally:
        await admin.close()


async def test_a_record_is_not_committed_before_its_letter_is_kept_and_holds_nobody_up(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    broker = make_broker(kafka, "test")
    publish = Unsteady(broker)
    broker.add_middleware(settling(DeadLetters(publish, lambda _: None)))
    connection: dict[str, Any] = {"auto_offset_reset": "earliest", "fetch_max_wait_ms": 20}
    subscription = Subscription(TOPICS.requests, GROUP, "Names", decoder(TypeAdapter(Named)), connection)
    subscriber = parallel_subscriber(broker, subscription, Flow(concurrency=4))
    handled: list[str] = []

    @subscriber
    async def handle(message: Named) -> None:
        handled.append(message.name)

    await producer.send_and_wait(TOPICS.requests, b"{broken", key=b"k", headers=[("h", b"\xff"), ("h", b"2")])
    for name in ("a", "b"):
        await producer.send_and_wait(TOPICS.requests, Named(name=name).model_dump_json().encode(), key=b"k")

    async def refused_twice() -> bool | None:
        return (publish.refused >= 2 and len(handled) == 2) or None

    async def all_committed() -> bool | None:
        return await committed(kafka) == 3 or None

    async with broker:
        await start(broker)
        await until(refused_twice, "the others to be handled and the letter to be tried again", 30)
        assert await committed(kafka) <= 0
        publish.away = False
        await until(all_committed, "everything to be committed", 30)

    letter = await dead.find(kafka, "report.requests.dead/0@0")
    assert letter.content.value == b"{broken"
    assert letter.content.key == b"k"
    assert letter.content.headers[:2] == (("h", b"\xff"), ("h", b"2"))
    assert letter.origin == f"{TOPICS.requests}/0@0"
    assert handled == ["a", "b"]


async def test_the_largest_record_is_kept_whole_and_a_larger_one_is_cut(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    broker = make_broker(kafka, "test")
    letters = DeadLetters(raw_publisher(broker), lambda _: None)
    largest, larger = b"x" * (MAX_REQUEST_BYTES - 200), b"y" * (MAX_REQUEST_BYTES + 100_000)
    for body in (largest, larger):
        await producer.send_and_wait(TOPICS.events, body, partition=0)
    consumer = AIOKafkaConsumer(TOPICS.events, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")

    async with broker:
        await broker.connect()
        await consumer.start()
        for _ in range(2):
            await letters.bury(await consumer.getone(), "e" * 5_000)
        await consumer.stop()

    assert (await dead.find(kafka, "report.events/0@0")).content.value == largest
    cut = await dead.find(kafka, "report.events/0@1")
    assert larger.startswith(cut.content.value or b"-")
    assert ("x-cut-from-bytes", str(len(larger)).encode()) in cut.content.headers


async def test_a_broker_that_is_not_there_is_said_in_words() -> None:
    nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{next(free_ports())}", _env_file=None)

    with pytest.raises(BrokerError, match="no broker can be reached at 127"):
        await dead.list_letters(nowhere, None, print)


async def test_topics_that_are_not_there_have_no_letters_and_are_not_made(kafka: KafkaSettings) -> None:
    empty = kafka.model_copy(update={"topic_prefix": "nobody."})
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()

    assert await dead.list_letters(empty, None, print) == 0
    assert not [topic for topic in await admin.list_topics() if topic.startswith("nobody.")]
    await admin.close()


async def test_what_cannot_be_put_back_does_not_hold_up_the_others(
    kafka: KafkaSettings, producer: AIOKafkaProducer
) -> None:
    for error, body in ((b"9", b"part of it"), (None, b"whole")):
        headers = [("x-cut-from-bytes", error)] if error else []
        await producer.send_and_wait(f"{TOPICS.bulk}.dead", body, headers=[*headers, ("x-origin-partition", b"5")])
    said: list[str] = []

    with pytest.raises(UndeliverableError) as left:
        await dead.replay_all(kafka, "evaluation.tasks.bulk", said.append)

    assert str(left.value) == f"{TOPICS.bulk}.dead/0@0: not whole: 9 bytes were too large for a dead letter"
    assert said == [f"{TOPICS.bulk}.dead/0@1 replayed to {TOPICS.bulk}/5@0"]


async def test_letters_of_one_batch_are_all_listed_and_found(kafka: KafkaSettings, producer: AIOKafkaProducer) -> None:
    """The embedded broker says an end before the last batch's second record."""
    batch = producer.create_batch()
    for number in range(3):
        batch.append(key=None, value=b"%d" % number, timestamp=None)
    await (await producer.send_batch(batch, f"{TOPICS.status}.dead", partition=0))
    said: list[str] = []

    assert await dead.list_letters(kafka, "report.status", said.append) == 3
    for number, line in enumerate(said):
        letter = await dead.find(kafka, line.split("  ")[0])
        assert letter.content.value == b"%d" % number
    with pytest.raises(NotThereError):
        await dead.find(kafka, "report.status.dead/0@3")
