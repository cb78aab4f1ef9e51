"""A record that cannot be handled is kept as it came before it counts as done, and is not done until it is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import pytest
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from faststream.kafka.message import KafkaMessage
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.evaluator.dead_tasks import failing_parts
from shared.chassis import batches
from shared.chassis.batches import Received, batch_decoder, handle_by_key
from shared.chassis.dead_letters import DeadLetters, UnprocessableError, readable
from shared.letters import Address, RawRecord
from shared.messages import EVENT, EvaluationTask, PartFailed
from shared.subscribing import hide_unreadable_headers
from shared.vocabulary import Reason
from tests.builders import NOON
from tests.stacks import until


class FakeTopic:
    """Keeps raw records; `away` as if the broker were; takes none of more than `most` bytes."""

    def __init__(self) -> None:
        self.kept: list[RawRecord] = []
        self.away = False
        self.refused = 0
        self.most = 1_000_000

    async def publish(self, record: RawRecord) -> Address:
        if self.away:
            self.refused += 1
            raise KafkaConnectionError("no broker")
        if len(record.content.value or b"") > self.most:
            raise MessageSizeTooLargeError("too large")
        self.kept.append(record)
        return Address(record.topic, 0, len(self.kept) - 1)


class Said(BaseModel):
    type: Literal["Said"] = "Said"
    key: str


SAID = TypeAdapter(Said)


def a_record(value: bytes, offset: int = 0, headers: Sequence[tuple[str, bytes]] = ()) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(
        topic="t",
        partition=3,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=b"k",
        value=value,
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=len(value),
        headers=tuple(headers),
    )


def a_batch(*values: bytes) -> KafkaMessage:
    records = tuple(a_record(value, offset) for offset, value in enumerate(values))
    return KafkaMessage(records, [*values], consumer=None)  # type: ignore[arg-type]  # nobody acknowledges it here


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> FakeTopic:
    monkeypatch.setattr(batches, "LONGEST_BACKOFF_SECONDS", 0.01)
    return FakeTopic()


@pytest.fixture
def letters(topic: FakeTopic) -> DeadLetters:
    return DeadLetters(topic.publish, lambda _: None)


async def finishes_once_the_broker_is_back(topic: FakeTopic, work: Awaitable[object]) -> None:
    topic.away = True
    task = asyncio.ensure_future(work)

    async def tried_again() -> bool | None:
        return topic.refused >= 3 or None

    await until(tried_again, "the letter to be tried three times", 10)
    assert not task.done()
    assert not topic.kept
    topic.away = False
    await task


async def test_headers_that_are_no_text_come_along(topic: FakeTopic, letters: DeadLetters) -> None:
    record = a_record(b"\xff{", headers=[("good", b"yes"), ("bad", b"\xff"), ("bad", b"\xfe")])
    hide_unreadable_headers(record)

    await letters.bury(record, "why")

    value, key, headers = topic.kept[0].content
    assert (value, key, headers[:3]) == (b"\xff{", b"k", (("good", b"yes"), ("bad", b"\xff"), ("bad", b"\xfe")))


async def test_what_the_broker_finds_too_large_is_cut(topic: FakeTopic, letters: DeadLetters) -> None:
    await letters.bury(a_record(b"x" * 1_000_001), "why")

    assert ("x-cut-from-bytes", b"1000001") in topic.kept[0].content.headers


async def test_unreadable_records_of_a_batch_wait_until_they_are_kept(topic: FakeTopic, letters: DeadLetters) -> None:
    read: list[Received[Said]] = []

    async def decode() -> None:
        read.extend(await batch_decoder(SAID, letters)(a_batch(b'{"key": "a"}', b"{", b'{"key": "b"}', b"\xff")))

    await finishes_once_the_broker_is_back(topic, decode())

    assert [item.message.key for item in read] == ["a", "b"]
    assert [record.content.value for record in topic.kept] == [b"{", b"\xff"]


async def test_an_unprocessable_record_waits_until_it_is_kept_and_the_others_are_handled_once(
    topic: FakeTopic, letters: DeadLetters
) -> None:
    batch = await batch_decoder(SAID, letters)(a_batch(b'{"key": "good"}', b'{"key": "bad"}'))
    handled: list[str] = []

    async def handle(key: str, messages: Sequence[Said]) -> None:
        if key == "bad":
            raise UnprocessableError("bad it is")
        handled.extend(message.key for message in messages)

    await finishes_once_the_broker_is_back(topic, handle_by_key(batch, lambda message: message.key, handle, letters))

    assert handled == ["good"]
    assert [record.content.value for record in topic.kept] == [b'{"key": "bad"}']


def test_a_wait_stays_short_however_often_it_is_repeated() -> None:
    assert batches._backoff(10_000) == batches.LONGEST_BACKOFF_SECONDS


def announcing(said: list[PartFailed], *, away: bool = False) -> Callable[[PartFailed], Awaitable[None]]:
    async def announce(failed: PartFailed) -> None:
        if away:
            raise KafkaConnectionError("no broker")
        said.append(failed)

    return announce


async def test_a_dead_task_fails_its_part_before_it_is_a_letter(topic: FakeTopic, letters: DeadLetters) -> None:
    said: list[PartFailed] = []
    task = b'{"report_id": "r", "part_id": "r/agent/7", "generation": 2}'

    letters.also = failing_parts(announcing(said, away=True), lambda: NOON)
    with pytest.raises(KafkaConnectionError):
        await letters.bury(a_record(task), "why")
    assert not topic.kept

    letters.also = failing_parts(announcing(said), lambda: NOON)
    await letters.bury(a_record(task), "why")
    await letters.bury(a_record(b"{"), "why")

    assert len(topic.kept) == 2
    (failed,) = said
    assert (failed.part_id, failed.generation, failed.reason, failed.attempts) == ("r/agent/7", 2, Reason.INTERNAL, 0)
    assert failed.detail.endswith("why")
    assert not failed.retryable


@pytest.mark.parametrize("adapter", [EVENT, TypeAdapter(EvaluationTask), SAID])
def test_a_type_of_a_newer_release_is_named(adapter: TypeAdapter[Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_json(b'{"type": "PartPraised", "report_id": "r", "secret": "s3cret"}')

    assert "PartPraised" in readable(caught.value)
    assert "s3cret" not in readable(caught.value)


def test_a_field_of_a_newer_release_is_ignored() -> None:
    event = b'{"type": "DeadlinePassed", "report_id": "r", "generation": 1, "at": "2026-11-01T00:00:00Z", "mood": {}}'
    assert EVENT.validate_json(event).report_id == "r"
