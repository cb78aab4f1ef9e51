"""Asks a broker what is there, for people who check a set-up; changes nothing."""

from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.chassis.kafka import client_security
from shared.settings import KafkaSettings

BrokerUnavailableError = KafkaError


async def partitions(settings: KafkaSettings) -> Mapping[str, int]:
    """Every topic and its number of partitions. Raises BrokerUnavailableError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, **client_security(settings))
    try:
        await admin.start()
        topics = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in topics}
