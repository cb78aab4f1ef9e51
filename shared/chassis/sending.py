"""Sends messages: JSON with CloudEvents headers, each confirmed by the broker before the call returns."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from aiokafka.structs import RecordMetadata
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

from shared.chassis.traces import trace_of
from shared.traces import HEADER

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time in whole milliseconds, as the database keeps it: what is told at once equals what is read later."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class Outgoing(NamedTuple):
    """A message on its way: to a topic, by key or to a given partition.

    The message is a model, or the JSON of a model of type `of`, or None: a tombstone.
    """

    topic: str
    message: BaseModel | str | None
    key: str | None = None
    partition: int | None = None
    of: str = ""


class Sender:
    """Sends for one room."""

    def __init__(self, broker: KafkaBroker, room: str, clock: Clock = utc_now) -> None:
        self._broker = broker
        self._source = f"/assay/{room}"
        self._clock = clock

    async def send(self, *outgoing: Outgoing) -> None:
        """Send all, then wait for every confirmation. Raises KafkaError if one is not stored."""
        await self.send_all(outgoing)

    async def send_all(self, outgoing: Iterable[Outgoing]) -> None:
        """As `send`, for many."""
        pending = [await self._start(item) for item in outgoing]
        for confirmation in pending:
            await confirmation

    async def _start(self, item: Outgoing) -> "asyncio.Future[RecordMetadata]":
        message = item.message
        body = (message.model_dump_json(by_alias=True) if isinstance(message, BaseModel) else message or "").encode()
        return await self._broker.publish(
            body if message is not None else None,
            item.topic,
            key=item.key.encode() if item.key is not None else None,
            partition=item.partition,
            headers=self._headers(item.of or type(message).__name__, body, item.key),
            no_confirm=True,
        )

    def _headers(self, kind: str, body: bytes, report_id: str | None) -> dict[str, str]:
        """CloudEvents 1.0 in Kafka's binary mode; the id is the hash of the content, so a repeat has the same.

        And where in which trace it was sent (W3C Trace Context).
        """
        trace = trace_of(report_id)
        return {
            "content-type": "application/json",
            "ce_specversion": "1.0",
            "ce_type": f"assay.{kind}",
            "ce_source": self._source,
            "ce_id": sha256(body).hexdigest()[:32],
            "ce_time": self._clock().isoformat(),
            **({HEADER: trace.traceparent} if trace else {}),
        }
