"""Decides what becomes of a record that could not be handled: again later, or dead letter; never lost, never stuck."""

import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from faststream import BaseMiddleware
from faststream.exceptions import NackMessage
from faststream.kafka import KafkaMessage
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.chassis.kafka import TOO_LARGE
from shared.letters import LONGEST_ERROR, Address, Content, RawRecord, cut, letter
from shared.parallel import RecordHandle
from shared.store import StoreUnavailableError
from shared.subscribing import headers_as_they_came

logger = logging.getLogger(__name__)

GIVE_UP_AFTER = 5  # attempts, when the fault lies with us
TRANSIENT = (StoreUnavailableError, KafkaError, ConnectionError, TimeoutError)


class UnprocessableError(Exception):
    """The record can be read but never be processed; the message says why. It becomes a dead letter at once."""


class RetryLaterError(Exception):
    """Not a failure: the record is to be handled again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.1f} s")
        self.seconds = seconds


Publish = Callable[[RawRecord], Awaitable[Address]]
Also = Callable[[ConsumerRecord[Any, Any], str], Awaitable[None]]


class DeadLetters:
    """Sends records to `<topic>.dead` as they came, with their origin and the error.

    `also` is what a room does, too, about a record that it gives up, and why; repeating it must be harmless.
    """

    def __init__(self, publish: Publish, count: Callable[[str], None]) -> None:
        self._publish = publish
        self._count = count
        self.also: Also | None = None

    async def bury(self, record: ConsumerRecord[Any, Any], error: str) -> None:
        """Returns once the broker has confirmed it. Raises what is TRANSIENT otherwise: then the record is not done."""
        if self.also is not None:
            await self.also(record, error)
        origin = Address(record.topic, record.partition, record.offset)
        whole = letter(origin, Content(record.value, record.key, headers_as_they_came(record)), error)
        try:
            await self._publish(whole)
        except TOO_LARGE:  # a broker with other limits than ours let it in
            await self._publish(cut(whole))
        self._count(record.topic)
        logger.error("dead letter from %s: %s", origin, error[:LONGEST_ERROR])


def settling(letters: DeadLetters) -> type[BaseMiddleware[Any, Any]]:
    """The middleware for parallel subscribers: turns what a handler raised into ack, again later, or dead letter."""

    class Settling(BaseMiddleware[Any, Any]):
        async def after_processed(
            self,
            exc_type: type[BaseException] | None = None,
            exc_val: BaseException | None = None,
            exc_tb: TracebackType | None = None,
        ) -> bool | None:
            handle = getattr(self.msg, "consumer", None)
            if not isinstance(exc_val, Exception) or not isinstance(handle, RecordHandle):
                return await super().after_processed(exc_type, exc_val, exc_tb)
            if isinstance(exc_val, RetryLaterError):
                handle.delay = exc_val.seconds
                raise NackMessage from exc_val
            reason = hopeless(exc_val, handle.entry.attempt + 1)
            if reason is None:
                logger.warning("attempt %d failed, again later: %r", handle.entry.attempt + 1, exc_val)
                raise NackMessage from exc_val
            await letters.bury(self.msg, reason)
            return True

    return Settling


def hopeless(error: Exception, attempts: int) -> str | None:
    """Why the record cannot be handled at all; None if another attempt is worth it."""
    match error:
        case ValidationError():
            return f"unreadable: {readable(error)}"
        case UnprocessableError():
            return str(error)
        case _ if isinstance(error, TRANSIENT):
            return None
        case _ if attempts >= GIVE_UP_AFTER:
            return f"failed {attempts} times: {error!r}"
        case _:
            return None


def readable(error: ValidationError) -> str:
    """One line per problem, without the input, which may be large or private; but an unknown type is named."""
    problems = error.errors(include_url=False, include_context=False)
    return "; ".join(map(_in_words, problems[:10]))


def _in_words(problem: ErrorDetails) -> str:
    found = problem["input"]
    named = f", not {found[:100]!r}" if problem["loc"] == ("type",) and isinstance(found, str) else ""
    return f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}{named}"


def decoder(adapter: TypeAdapter[Any]) -> Callable[[KafkaMessage], Awaitable[BaseModel]]:
    """Reads a record's JSON as a message of the contract. Raises ValidationError, which becomes a dead letter."""

    async def decode(message: KafkaMessage) -> BaseModel:
        decoded: BaseModel = adapter.validate_json(message.body)
        return decoded

    return decode
