"""Talks to Kafka for the gateway: publishes requests, and says whether the broker has them."""

import asyncio
import logging
from typing import Protocol

from aiokafka.errors import KafkaError
from faststream.exceptions import IncorrectState

from services.gateway.ports import Command
from shared.chassis.sending import Outgoing
from shared.chassis.traces import asked_in, span, working_on

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0  # the client itself would try for much longer


class Sending(Protocol):
    """The chassis' sender."""

    async def send(self, *outgoing: Outgoing) -> None:
        """Send all, in this order, and wait for every confirmation."""


class RequestPublisher:
    """Publishes to `report.requests`, by report."""

    def __init__(self, sender: Sending, topic: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._sender = sender
        self._topic = topic
        self._patience = patience_seconds

    async def publish(self, report_id: str, *messages: Command | str) -> bool:
        """Publish in this order; False if the broker did not confirm in time. It may have them all the same."""
        outgoing = [
            Outgoing(self._topic, message, key=report_id, of="ReportRequested" if isinstance(message, str) else "")
            for message in messages
        ]
        try:
            with working_on(report_id, header=asked_in()), span("request"):
                async with asyncio.timeout(self._patience):
                    await self._sender.send(*outgoing)
        except (KafkaError, TimeoutError, IncorrectState) as error:  # the last one: not connected yet
            logger.warning("%s is not published yet: %r", report_id, error)
            return False
        return True
