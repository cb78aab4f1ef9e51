"""What the engine uses of FastStream's and aiokafka's insides: a release that changes it is seen here first."""

import inspect
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from faststream._internal.broker.registrator import Registrator
from faststream._internal.endpoint.subscriber.usecase import SubscriberUsecase
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import KafkaAckableMessage
from faststream.kafka.publisher.producer import AioKafkaFastProducerImpl
from faststream.kafka.subscriber.config import KafkaSubscriberConfig
from faststream.kafka.subscriber.usecase import BatchSubscriber, DefaultSubscriber, LogicSubscriber
from faststream.middlewares import AckPolicy

from shared.batches import BatchedSubscriber, batched_subscriber
from shared.parallel import Flow, ParallelSubscriber, parallel_subscriber
from shared.subscribing import Subscription, headers_as_they_came, hide_unreadable_headers


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


async def decode(message: KafkaMessage) -> bytes:
    return message.body


SUBSCRIPTION = Subscription("topic", "group", "Title", decode, {"auto_offset_reset": "earliest"})


def test_the_methods_we_replace_exist_with_the_same_parameters() -> None:
    assert parameters(LogicSubscriber._run_consume_loop) == ["self", "consumer"]
    assert parameters(LogicSubscriber.start) == ["self"]
    assert parameters(LogicSubscriber.stop) == ["self"]
    assert parameters(BatchSubscriber.get_msg) == ["self", "consumer"]


def test_the_methods_we_call_exist() -> None:
    assert parameters(SubscriberUsecase.consume) == ["self", "msg"]
    assert parameters(Registrator.subscriber)[:2] == ["self", "subscriber"]
    assert inspect.iscoroutinefunction(AIOKafkaConsumer.commit)
    assert inspect.iscoroutinefunction(AIOKafkaConsumer.committed)
    assert not inspect.iscoroutinefunction(AIOKafkaConsumer.highwater)


def test_a_message_settles_through_its_records_own_consumer() -> None:
    """Ack is `consumer.commit()`, nack is `consumer.seek(...)`: what RecordHandle stands in for."""
    assert "self.consumer.commit()" in inspect.getsource(KafkaAckableMessage.ack)
    assert "self.consumer.seek(partition=" in inspect.getsource(KafkaAckableMessage.nack)
    assert 'getattr(message, "consumer"' in inspect.getsource(DefaultSubscriber.__init__.__globals__["AioKafkaParser"])


def test_a_broker_object_has_a_producer_that_takes_headers_byte_by_byte() -> None:
    from_broker = KafkaBroker().config.producer
    assert isinstance(from_broker, AioKafkaFastProducerImpl)
    assert {"value", "key", "partition", "headers"} <= set(parameters(AIOKafkaProducer.send_and_wait))
    assert "producer.send(" in inspect.getsource(AioKafkaFastProducerImpl.publish)


def test_nothing_is_committed_behind_our_back() -> None:
    config = KafkaSubscriberConfig(_ack_policy=AckPolicy.NACK_ON_ERROR)

    assert config.connection_args["enable_auto_commit"] is False
    assert not config.auto_ack_disabled


def test_our_subscribers_register_with_the_broker_and_its_document() -> None:
    broker = KafkaBroker(apply_types=False)

    parallel = parallel_subscriber(broker, SUBSCRIPTION, Flow(concurrency=1))
    batched = batched_subscriber(broker, SUBSCRIPTION)

    assert isinstance(parallel, ParallelSubscriber)
    assert isinstance(batched, BatchedSubscriber)
    assert {parallel, batched} == set(broker.subscribers)
    assert parallel.ack_policy is AckPolicy.NACK_ON_ERROR


def test_records_can_carry_a_handle_and_lose_headers_that_are_not_text() -> None:
    record = ConsumerRecord(
        topic="t",
        partition=0,
        offset=0,
        timestamp=0,
        timestamp_type=0,
        key=None,
        value=b"",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(("good", b"yes"), ("bad", b"\xff"), ("empty", None)),
    )

    for _ in range(2):  # as for a second attempt
        hide_unreadable_headers(record)
    record.consumer = "handle"

    assert record.headers == (("good", b"yes"),)
    assert headers_as_they_came(record) == (("good", b"yes"), ("bad", b"\xff"), ("empty", None))
