"""Puts together what every room is made of: broker, sender, dead letters, metrics, and the consumer's settings."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry

from shared.chassis.checks import Subscriber
from shared.chassis.dead_letters import DeadLetters, settling
from shared.chassis.kafka import consumer_settings, create_topics, make_broker, raw_publisher
from shared.chassis.sending import Sender
from shared.settings import KafkaSettings
from shared.subscribing import Subscription
from shared.telemetry import Metrics
from shared.topics import Topics, named
from shared.version import VERSION


class Assembly(NamedTuple):
    """A room's standard parts; nothing is connected yet."""

    name: str
    kafka: KafkaSettings
    broker: KafkaBroker
    topics: Topics
    sender: Sender
    letters: DeadLetters
    metrics: Metrics

    def subscription(
        self,
        topic: str,
        title: str,
        decoder: Callable[[Any], Awaitable[Any]],
        **connection: Any,  # noqa: ANN401  # aiokafka's own arguments
    ) -> Subscription:
        """How this room reads a topic: one group per room and topic, so that no join waits for another topic's."""
        settings: Mapping[str, Any] = {**consumer_settings(self.kafka), **connection}
        group = f"{self.kafka.topic_prefix}assay-{self.name}.{topic.removeprefix(self.kafka.topic_prefix)}"
        return Subscription(topic, group, title, decoder, settings)

    def watch(self, *subscribers: Subscriber) -> None:
        """Show how far behind they are, what they have in hand and what went wrong."""
        for subscriber in subscribers:
            topic = subscriber.topic_names[0]
            self.metrics.consumers.watch(topic, subscriber.reading)
            self.metrics.dead_letters.labels(topic)  # from 0 on, so that the first one is seen to come

    async def create_topics(self) -> None:
        """Wait for the broker and create the topics that are missing."""
        await create_topics(self.kafka, self.topics)


def assemble(name: str, kafka: KafkaSettings, registry: CollectorRegistry) -> Assembly:
    """The parts of the room with this name."""
    broker = make_broker(kafka, name)
    metrics = Metrics(registry, name, VERSION)
    letters = DeadLetters(raw_publisher(broker), lambda topic: metrics.dead_letters.labels(topic).inc())
    broker.add_middleware(KafkaPrometheusMiddleware(registry=registry, app_name=name))
    broker.add_middleware(settling(letters))
    return Assembly(name, kafka, broker, named(kafka.topic_prefix), Sender(broker, name), letters, metrics)
