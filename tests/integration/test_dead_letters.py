"""Dead letters as an operator meets them: listed, shown, put back; and a report does not hang by a dead task."""

import asyncio
import json
import sys
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from tests.requests import agents_request
from tests.stacks import Stack, clean_environment, until

pytestmark = pytest.mark.anyio

BINARY = b'{"type": "Unheard", "report_id": "env-42", "text": "\x1b[31m\xff"}'
HEADERS = [("traceparent", b"00-1-2-01"), ("odd", b"\xff\xfe"), ("odd", b"again")]


class Ended(NamedTuple):
    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.decode().splitlines()


async def assay(stack: Stack, *arguments: str, **environment: str) -> Ended:
    """What a command says that knows no more than where the broker is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.console",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment() | {"KAFKA_BOOTSTRAP_SERVERS": stack.kafka} | environment,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Ended(process.returncode, out, err.decode())


async def listed(stack: Stack, *options: str, containing: str, count: int = 1) -> list[str]:
    """The lines of `list` with this in them, once there are so many."""

    async def look() -> list[str] | None:
        ended = await assay(stack, "dead", "list", *options)
        assert ended.code == 0, ended.err
        found = [line for line in ended.lines if containing in line]
        return found if len(found) >= count else None

    return await until(look, f"{count} dead letters with {containing!r}", 30)


async def publish(stack: Stack, topic: str, value: bytes, key: bytes | None, partition: int | None = None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key=key, partition=partition, headers=HEADERS)
    finally:
        await producer.stop()


async def replayed(stack: Stack, topic: str, letter: str) -> ConsumerRecord[bytes, bytes]:
    """The record that came from this letter."""
    async with stack.reading(topic) as consumer:

        async def look() -> ConsumerRecord[bytes, bytes] | None:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if ("x-replayed-from", letter.encode()) in record.headers:
                        return record
            return None

        return await until(look, f"the record from {letter}", 20)


async def test_a_dead_letter_is_listed_shown_and_put_back_as_it_came(stack: Stack) -> None:
    await publish(stack, "report.events", BINARY, b"env-42")
    (line,) = await listed(stack, "--topic", "report.events", containing=f"  {len(BINARY)} bytes  ")
    letter = line.split("  ")[0]
    assert letter.startswith("report.events.dead/0@")
    assert "  from report.events/" in line
    assert "  unreadable: " in line

    shown = await assay(stack, "dead", "show", letter)
    assert shown.code == 0
    assert r"odd: \xff\xfe" in shown.lines
    assert r"\x1b[31m\xff" in shown.lines[-1]
    assert (await assay(stack, "dead", "show", letter, "--raw")).out == BINARY

    for _ in range(2):
        back = await assay(stack, "dead", "replay", letter)
        assert back.code == 0, back.err
        assert back.lines[0].startswith(f"{letter} replayed to report.events/")
    record = await replayed(stack, "report.events", letter)
    assert (record.value, record.key) == (BINARY, b"env-42")
    assert record.headers == (*HEADERS, ("x-replayed-from", letter.encode()))
    await listed(stack, containing=f"  {len(BINARY)} bytes  ", count=3)  # and died again each time


async def test_an_event_of_a_newer_release_is_named_and_a_task_without_a_key_returns_to_its_partition(
    stack: Stack,
) -> None:
    await publish(stack, "report.events", b'{"type": "PartPraised", "report_id": "later"}', b"later")
    (line,) = await listed(stack, containing="report later")
    assert "PartPraised" in line

    for number in (3, 5):
        await publish(stack, "evaluation.tasks.bulk", b'{"type": "Sing"}', None, partition=number)
    lines = await listed(stack, "--topic", "evaluation.tasks.bulk.dead", containing="Sing", count=2)

    everything = await assay(stack, "dead", "replay", "--all", "--topic", "evaluation.tasks.bulk")

    assert everything.code == 0, everything.err
    assert len(everything.lines) == len(lines) == 2
    for line, said in zip(lines, everything.lines, strict=True):
        origin = line.split("from ")[1].split("@")[0]
        assert origin in {"evaluation.tasks.bulk/3", "evaluation.tasks.bulk/5"}
        assert f"replayed to {origin}@" in said


async def test_a_task_that_cannot_be_processed_fails_its_part_so_that_the_report_ends(calm: Stack) -> None:
    await calm.behave(latency_seconds=8)
    report_id = await calm.post(agents_request(2, report_id="half-dead"))

    async def planned() -> bool | None:
        return (await calm.status(report_id))["status"] == "evaluating" or None

    await until(planned, "the plan", 20)
    bad = {"type": "EvaluationTask", "report_id": report_id, "part_id": f"{report_id}/agent/0", "generation": 1}
    await calm.publish("evaluation.tasks", (json.dumps(bad).encode(), None))
    status = await calm.final(report_id)

    assert status["status"] == "completed_with_errors"
    failed = next(part for part in status["parts"] if part["key"] == "0" and part["role"] == "agent")
    assert (failed["status"], failed["reason"], failed["attempts"]) == ("errored", "internal", 0)
    assert "Field required" in failed["detail"]
    await listed(calm, "--topic", "evaluation.tasks", containing=f"report {report_id}")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "nonsense"), 2, "report.requests.dead/0@17"),
        (("show", "other.topic.dead/0@17"), 2, "report.requests"),
        (("list", "--topic", "other"), 2, "report.requests"),
        (("show", "report.requests.dead/0@99999"), 1, "no dead letter"),
        (("show", "report.requests.dead/7@0"), 1, "no dead letter"),
        (("replay",), 2, "ADDRESS"),
        (("replay", "--all"), 2, "--topic"),
        (("replay", "--topic", "report.requests"), 2, "--all"),
        (("replay", "report.requests.dead/0@99999"), 1, "no dead letter"),
    ],
)
async def test_what_was_wrong_is_said_in_words(stack: Stack, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended = await assay(stack, "dead", *arguments)

    assert ended.code == code
    assert words in ended.err
    assert not ended.out


async def test_only_topics_under_the_prefix_are_looked_at(stack: Stack) -> None:
    nothing = await assay(stack, "dead", "list", KAFKA_TOPIC_PREFIX="nobody.")

    assert (nothing.code, nothing.out, nothing.err) == (0, b"", "0 dead letters\n")


async def test_without_a_broker_the_command_says_so_and_ends(stack: Stack) -> None:
    away = await assay(stack, "dead", "list", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert away.code == 1
    assert away.err.splitlines()[-1] == "no broker can be reached at 127.0.0.1:1"
