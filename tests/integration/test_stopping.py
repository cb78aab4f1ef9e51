"""A room that is told to stop while the broker is gone still finishes what it has begun."""

import asyncio

import pytest
from faststream.kafka import KafkaMessage
from prometheus_client import CollectorRegistry

from shared.chassis import kafka
from shared.chassis.assembly import assemble
from shared.parallel import Flow, parallel_subscriber
from shared.settings import KafkaSettings
from tests.single_programs import broker
from tests.stacks import until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.only_on("embedded"),
    pytest.mark.filterwarnings("ignore:.*Unclosed AIOKafkaProducer"),  # the broker is gone: there is none to tell
]


async def nothing() -> None:
    """What an evaluator has to give back when it leaves first."""


async def body(message: KafkaMessage) -> bytes:
    return message.body


async def test_both_lanes_finish_their_calls_although_the_broker_has_died() -> None:
    async with broker() as (address, process):
        settings = KafkaSettings(
            bootstrap_servers=address, assignor="roundrobin", idempotence=False, fetch_max_wait_ms=20, _env_file=None
        )
        room = assemble("room", settings, CollectorRegistry())
        let_go = asyncio.Event()
        begun: list[bytes] = []
        finished: list[bytes] = []
        await room.create_topics()
        await kafka.connect(room.broker)
        subscribers = []
        for topic in (room.topics.tasks, room.topics.bulk):
            subscriber = parallel_subscriber(
                room.broker,
                room.subscription(topic, topic, body),
                Flow(concurrency=2, drain_seconds=60, leave_first=nothing),
            )

            @subscriber
            async def call(task: bytes) -> None:
                begun.append(task)
                await let_go.wait()
                finished.append(task)

            subscribers.append(subscriber)
        await kafka.start(room.broker)
        for subscriber in subscribers:
            await room.broker.publish(subscriber.topic_names[0].encode(), subscriber.topic_names[0])

        async def both_begun() -> bool | None:
            return len(begun) == 2 or None

        async def both_left() -> bool | None:
            return all(subscriber.consumer is None for subscriber in subscribers) or stopping.done() or None

        await until(both_begun, "the calls to begin", 30)
        process.kill()
        await process.wait()
        stopping = asyncio.create_task(kafka.stop(room.broker))
        await until(both_left, "the groups to be left", 60)
        let_go.set()
        await stopping

        assert sorted(finished) == [b"evaluation.tasks", b"evaluation.tasks.bulk"]
