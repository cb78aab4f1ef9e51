"""Decides how a batch is handled: by key, in order, and so that a record that fails does not spoil its batch."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaMessage
from pydantic import TypeAdapter, ValidationError

from shared.chassis.dead_letters import TRANSIENT, DeadLetters, hopeless, readable
from shared.chassis.traces import span, working_on
from shared.traces import HEADER

logger = logging.getLogger(__name__)

KEYS_AT_ONCE = 16
LONGEST_BACKOFF_SECONDS = 10.0
MOST_DOUBLINGS = 16  # after a thousand the number is no float any more

Message = TypeVar("Message")


class Received(NamedTuple, Generic[Message]):
    """A message and the record it came in."""

    message: Message
    record: ConsumerRecord[Any, Any]


def batch_decoder(
    adapter: TypeAdapter[Message], letters: DeadLetters
) -> Callable[[KafkaMessage], Awaitable[list[Received[Message]]]]:
    """Reads a batch of records; the unreadable ones become dead letters and are left out."""

    async def decode(message: KafkaMessage) -> list[Received[Message]]:
        records = message.raw_message if isinstance(message.raw_message, tuple) else (message.raw_message,)
        received = []
        for record in records:
            try:
                received.append(Received(adapter.validate_json(record.value or b""), record))
            except ValidationError as error:
                await _buried(letters, record, f"unreadable: {readable(error)}")
        return received

    return decode


async def handle_by_key(
    batch: Sequence[Received[Message]],
    key: Callable[[Message], str],
    handle: Callable[[str, Sequence[Message]], Awaitable[None]],
    letters: DeadLetters,
) -> None:
    """Hand each report's messages over in order, several reports at once; returns when all are handled or buried."""
    groups: dict[str, list[Received[Message]]] = {}
    for item in batch:
        groups.setdefault(key(item.message), []).append(item)
    slots = asyncio.Semaphore(KEYS_AT_ONCE)  # transactions at once: the database's connections are finite

    async def one(name: str, items: list[Received[Message]]) -> None:
        header = next((value for key, value in items[0].record.headers if key == HEADER), b"")
        with working_on(name, header=header.decode()), span("fold", records=len(items)):
            async with slots:
                await _handle(name, items, handle, letters)

    async with asyncio.TaskGroup() as tasks:
        for name, items in groups.items():
            tasks.create_task(one(name, items))


async def _handle(
    name: str,
    items: Sequence[Received[Message]],
    handle: Callable[[str, Sequence[Message]], Awaitable[None]],
    letters: DeadLetters,
) -> None:
    attempt = 0
    while True:
        attempt += 1
        try:
            return await handle(name, [item.message for item in items])
        except Exception as error:  # noqa: BLE001  # the chassis decides for every handler
            reason = hopeless(error, attempt)
            if reason is None:
                logger.warning("attempt %d for %s failed, again: %r", attempt, name, error)
                await asyncio.sleep(_backoff(attempt))
                continue
        if len(items) == 1:
            return await _buried(letters, items[0].record, reason)
        for item in items:  # one of them is the bad one
            await _handle(name, [item], handle, letters)
        return None


async def _buried(letters: DeadLetters, record: ConsumerRecord[Any, Any], reason: str) -> None:
    """Returns once the letter is kept, however long the broker is away: given back, the batch would come again."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return await letters.bury(record, reason)
        except TRANSIENT as error:
            logger.warning("a dead letter was not taken, again: %r", error)
        await asyncio.sleep(_backoff(attempt))


def _backoff(attempt: int) -> float:
    doublings = min(attempt, MOST_DOUBLINGS)
    return min(0.1 * (1 << doublings), LONGEST_BACKOFF_SECONDS)
