"""The dead letters as a person sees them: a list, one in full, and back into their topic."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from shared.letters import Address, AddressError, DeadLetter, NotThereError, UndeliverableError, address_of
from shared.salvage import report_in
from shared.settings import KafkaSettings
from shared.topics import DEAD, dead, named

if TYPE_CHECKING:
    from shared.chassis.dead_letter_office import Office

Say = Callable[[str], None]


async def list_letters(kafka: KafkaSettings, topic: str | None, say: Say) -> int:
    """Say one line per dead letter, of one topic or of all; how many there are."""
    topics = [_dead_topic(kafka, topic)] if topic else [*map(dead, named(kafka.topic_prefix))]
    count = 0
    async with _office(kafka) as office:
        async for letter in office.letters(topics):
            say(line(letter))
            count += 1
    return count


async def find(kafka: KafkaSettings, address: str) -> DeadLetter:
    """The dead letter at an address. Raises AddressError, NotThereError."""
    wanted = _address(kafka, address)
    async with _office(kafka) as office:
        return await _letter(office, wanted)


async def replay(kafka: KafkaSettings, address: str, say: Say) -> None:
    """Publish a dead letter's record again; say so when the broker has it.

    Raises AddressError, NotThereError, UndeliverableError.
    """
    wanted = _address(kafka, address)
    async with _office(kafka) as office:
        await _replay(office, await _letter(office, wanted), say)


async def replay_all(kafka: KafkaSettings, topic: str, say: Say) -> None:
    """As `replay`, for all of a topic. Raises UndeliverableError at the end, which names those that could not go."""
    wanted = _dead_topic(kafka, topic)
    left: list[str] = []
    async with _office(kafka) as office:
        async for letter in office.letters([wanted]):
            try:
                await _replay(office, letter, say)
            except UndeliverableError as error:
                left.append(f"{letter.address}: {error}")
    if left:
        raise UndeliverableError("\n".join(left))


def line(letter: DeadLetter) -> str:
    """A dead letter in one line: the address, and what helps to decide about it."""
    body = letter.content.value or b""
    report = f"  report {found}" if (found := report_in(body)) else ""
    size = f"{len(body):,} bytes"
    return printable(f"{letter.address}  {_time(letter)}  from {letter.origin}  {size}{report}  {letter.error}")


def in_full(letter: DeadLetter) -> str:
    """Headers and body, made safe for a terminal."""
    value, key, headers = letter.content
    fields = [
        ("address", str(letter.address)),
        ("time", _time(letter)),
        ("key", "none" if key is None else _text(key)),
        *((name, "" if content is None else _text(content)) for name, content in headers),
    ]
    lines = [printable(f"{name}: {content}") for name, content in fields]
    return "\n".join([*lines, "", printable(_text(value or b""), keep="\n\t")])


def printable(text: str, keep: str = "") -> str:
    """The text without anything that a terminal would obey: control characters are written out, but those to keep."""
    return "".join(
        character if character.isprintable() or character in keep else character.encode("unicode_escape").decode()
        for character in text
    )


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def _time(letter: DeadLetter) -> str:
    return f"{letter.at:%Y-%m-%dT%H:%M:%SZ}"


@asynccontextmanager
async def _office(kafka: KafkaSettings) -> AsyncIterator["Office"]:
    from shared.chassis.dead_letter_office import opened  # noqa: PLC0415  # half a second, for these commands alone

    async with opened(kafka) as office:
        yield office


async def _letter(office: "Office", address: Address) -> DeadLetter:
    letter = await office.letter(address)
    if letter is None:
        raise NotThereError(f"there is no dead letter {address}")
    return letter


async def _replay(office: "Office", letter: DeadLetter, say: Say) -> None:
    kept = await office.send(letter.replay)
    say(f"{letter.address} replayed to {kept}")


def _address(kafka: KafkaSettings, text: str) -> Address:
    address = address_of(text)
    return address._replace(topic=_dead_topic(kafka, address.topic))


def _dead_topic(kafka: KafkaSettings, text: str) -> str:
    """The topic of dead letters that is meant, with or without prefix and `.dead`. Raises AddressError."""
    meant = text.removeprefix(kafka.topic_prefix).removesuffix(DEAD)
    known = {topic.removeprefix(kafka.topic_prefix): dead(topic) for topic in named(kafka.topic_prefix)}
    if meant not in known:
        raise AddressError(f"{text!r} is none of the topics {', '.join(known)}")
    return known[meant]
