"""Registers subscriber classes of our own with FastStream, which only knows its own: the one place that knows how."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from aiokafka import ConsumerRecord
from faststream._internal.broker.registrator import Registrator
from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream.kafka import KafkaBroker
from faststream.kafka.schemas import Topic
from faststream.kafka.subscriber.config import KafkaSubscriberConfig, KafkaSubscriberSpecificationConfig
from faststream.kafka.subscriber.specification import KafkaSubscriberSpecification
from faststream.kafka.subscriber.usecase import LogicSubscriber
from faststream.middlewares import AckPolicy

from shared.letters import Headers

Subscriber = TypeVar("Subscriber", bound=LogicSubscriber[Any])
Make = Callable[[KafkaSubscriberConfig, KafkaSubscriberSpecification, CallsCollection[Any]], Subscriber]


class Subscription(NamedTuple):
    """What to read, as which group, how records become messages, and the consumer's own settings."""

    topic: str
    group_id: str
    title: str
    decoder: Callable[[Any], Any]
    connection: Mapping[str, Any]


def register(broker: KafkaBroker, subscription: Subscription, make: Make[Subscriber]) -> Subscriber:
    """Register the subscriber that `make` builds from FastStream's configuration."""
    topics = [Topic.validate(subscription.topic)]
    calls: CallsCollection[Any] = CallsCollection()
    config = KafkaSubscriberConfig(
        topics=topics,
        group_id=subscription.group_id,
        connection_args=dict(subscription.connection),
        no_reply=True,
        _outer_config=broker.config,  # type: ignore[arg-type]  # FastStream's own callers pass the composition too
        _ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    specification = KafkaSubscriberSpecification(
        _outer_config=broker.config,  # type: ignore[arg-type]  # as above
        calls=calls,
        specification_config=KafkaSubscriberSpecificationConfig(
            topics=topics, title_=subscription.title, description_=None, include_in_schema=True
        ),
    )
    subscriber = make(config, specification, calls)
    Registrator.subscriber(broker, subscriber)
    subscriber.add_call(parser_=None, decoder_=subscription.decoder, dependencies_=())
    return subscriber


def hide_unreadable_headers(record: ConsumerRecord[Any, Any]) -> None:
    """Leave a record the headers that are UTF-8: FastStream's parser fails on others, and no header is required.

    What came is kept aside for `headers_as_they_came`.
    """
    if not hasattr(record, "headers_as_they_came"):
        record.headers_as_they_came = record.headers
    record.headers = tuple((name, value) for name, value in record.headers if value is not None and _is_utf8(value))


def headers_as_they_came(record: ConsumerRecord[Any, Any]) -> Headers:
    """All headers of a record, readable or not."""
    return tuple(getattr(record, "headers_as_they_came", record.headers))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
