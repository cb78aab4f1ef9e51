"""What a dead letter is: a record as it came, with its origin and the error beside it; and how it becomes one again."""

import re
from datetime import datetime
from typing import NamedTuple

from shared.topics import DEAD, dead

Headers = tuple[tuple[str, bytes | None], ...]

ERROR = "x-error"
ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET = "x-origin-topic", "x-origin-partition", "x-origin-offset"
CUT_FROM_BYTES = "x-cut-from-bytes"
REPLAYED_FROM = "x-replayed-from"
ADDED = frozenset({ERROR, ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, CUT_FROM_BYTES})

LONGEST_ERROR = 1000  # characters
CUT_VALUE_BYTES = 500_000  # of a value, and
CUT_KEY_BYTES = 1_000  # of a key that are kept of a record which is too large for a letter

_ADDRESS = re.compile(r"(?P<topic>[A-Za-z0-9._-]+)/(?P<partition>\d{1,9})@(?P<offset>\d{1,18})")


class AddressError(Exception):
    """The text is no address of a record, or the topic none of ours; the message says what is."""


class LetterError(Exception):
    """A dead letter cannot be read or replayed; the message says why. The office's BrokerError is one, too."""


class NotThereError(LetterError):
    """There is no such dead letter."""


class UndeliverableError(LetterError):
    """The dead letter cannot be replayed: it is not the whole record, or its topic does not take one so large."""


class Content(NamedTuple):
    """What a record carries, byte by byte."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()


class RawRecord(NamedTuple):
    """A record to be published. `partition` None: where its key belongs, or any."""

    topic: str
    content: Content
    partition: int | None = None


class Address(NamedTuple):
    """Where a record is kept. As text: `report.requests.dead/0@17`, topic, partition and offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.topic}/{self.partition}@{self.offset}"


class DeadLetter(NamedTuple):
    """A dead letter where it is kept, since `at`."""

    address: Address
    at: datetime
    content: Content

    @property
    def error(self) -> str:
        """Why the record could not be handled."""
        return self._text(ERROR)

    @property
    def origin(self) -> str:
        """Where the record came from, as it was written down."""
        return f"{self._text(ORIGIN_TOPIC)}/{self._text(ORIGIN_PARTITION)}@{self._text(ORIGIN_OFFSET)}"

    @property
    def replay(self) -> RawRecord:
        """The record as it came, for its topic: where its key belongs, without a key for the same partition.

        Raises UndeliverableError.
        """
        if cut := self._text(CUT_FROM_BYTES, ""):
            raise UndeliverableError(f"not whole: {cut} bytes were too large for a dead letter")
        value, key, headers = self.content
        kept = tuple(item for item in headers if item[0] not in ADDED | {REPLAYED_FROM})
        content = Content(value, key, (*kept, (REPLAYED_FROM, str(self.address).encode())))
        came_from = self._text(ORIGIN_PARTITION)
        partition = int(came_from) if key is None and came_from.isdecimal() else None
        return RawRecord(self.address.topic.removesuffix(DEAD), content, partition)

    def _text(self, name: str, default: str = "?") -> str:
        found = [value for key, value in self.content.headers if key == name and value is not None]
        return found[-1].decode("utf-8", "backslashreplace") if found else default


def letter(origin: Address, came: Content, error: str) -> RawRecord:
    """The dead letter of a record: everything as it came, and what we add to its headers."""
    added = {
        ERROR: error[:LONGEST_ERROR],
        ORIGIN_TOPIC: origin.topic,
        ORIGIN_PARTITION: str(origin.partition),
        ORIGIN_OFFSET: str(origin.offset),
    }
    kept = tuple(item for item in came.headers if item[0] not in ADDED)
    ours = tuple((name, text.encode("utf-8", "replace")) for name, text in added.items())
    value = b"" if came.value is None and came.key is None else came.value  # the client wants one of them
    return RawRecord(dead(origin.topic), Content(value, came.key, kept + ours))


def cut(whole: RawRecord) -> RawRecord:
    """What is kept of a dead letter that is too large: the beginning, and our headers alone."""
    value, key, headers = whole.content
    ours = tuple(item for item in headers if item[0] in ADDED)
    marked = (*ours, (CUT_FROM_BYTES, str(len(value or b"")).encode()))
    return RawRecord(whole.topic, Content((value or b"")[:CUT_VALUE_BYTES], key and key[:CUT_KEY_BYTES], marked))


def address_of(text: str) -> Address:
    """The address that a text names. Raises AddressError."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise AddressError(f"{text!r} is no address of a dead letter: `list` shows them, as report.requests.dead/0@17")
    return Address(found["topic"], int(found["partition"]), int(found["offset"]))
