"""What holds on Apache Kafka beyond what holds on the embedded broker: it keeps its records, and it limits them."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from openpyxl import load_workbook
from prometheus_client import CollectorRegistry

from shared.chassis import kafka as chassis
from shared.chassis.assembly import assemble
from shared.settings import KafkaSettings
from tests.apache_kafka import ApacheKafka, apache_kafka
from tests.requests import Json, agents_request
from tests.stacks import Stack, on_kafka, start, until

pytestmark = [pytest.mark.anyio, pytest.mark.only_on("apache")]

LARGEST_RECORD = 1024 * 1024  # Kafka's own default, and what the services' producers allow


class Breakable(NamedTuple):
    """A broker that a test may break, and a standalone that runs on it."""

    kafka: ApacheKafka
    stack: Stack

    async def in_the_middle_of_a_report(self) -> str:
        """The id of a report of which some parts are done."""
        report_id = await self.stack.post(agents_request(60))

        async def some_are_done() -> bool | None:
            return 3 < (await self.stack.status(report_id))["counts"]["completed"] < 60 or None

        await until(some_are_done, "the middle of the report", 30)
        return report_id


@pytest.fixture(scope="module")
async def breakable(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Breakable]:
    """One for all tests that break it."""
    async with apache_kafka(tmp_path_factory.mktemp("own")) as kafka:
        stack = await start(tmp_path_factory.mktemp("on-own"), "--latency", "0.3", **on_kafka(kafka.address))
        yield Breakable(kafka, stack)
        assert await stack.stop() == 0


async def test_a_report_under_way_completes_although_the_broker_is_killed(breakable: Breakable) -> None:
    report_id = await breakable.in_the_middle_of_a_report()

    await breakable.kafka.kill()
    await breakable.kafka.start()

    assert (await breakable.stack.final(report_id, 90))["counts"]["completed"] == 60


async def test_a_report_under_way_completes_although_the_broker_hangs(breakable: Breakable) -> None:
    report_id = await breakable.in_the_middle_of_a_report()

    breakable.kafka.freeze()
    try:
        await asyncio.sleep(8)  # beyond the session: this is what happens, not a wait for it
    finally:
        breakable.kafka.thaw()

    assert (await breakable.stack.final(report_id, 90))["counts"]["completed"] == 60


@pytest.mark.filterwarnings("ignore:.*Unclosed AIOKafkaProducer")  # FastStream's, of each attempt to connect
async def test_a_room_that_begins_while_the_broker_dies_waits_for_it(breakable: Breakable) -> None:
    settings = KafkaSettings(bootstrap_servers=breakable.kafka.address, topic_prefix="begins.", _env_file=None)
    room = assemble("room", settings, CollectorRegistry())
    heard = asyncio.Event()

    @room.broker.subscriber(room.topics.events, group_id="begins", auto_offset_reset="earliest")
    async def hear(_: Any) -> None:
        heard.set()

    await room.create_topics()
    for begin in (chassis.connect, chassis.start):
        await breakable.kafka.kill()
        beginning = asyncio.create_task(begin(room.broker))
        await breakable.kafka.start()
        await asyncio.wait_for(beginning, 30)
    async with room.broker:
        await room.broker.publish({}, room.topics.events)
        await asyncio.wait_for(heard.wait(), 30)


async def test_a_standalone_started_again_completes_what_was_under_way(tmp_path: Path) -> None:
    first = await start(tmp_path, "--latency", "30")
    report_id = await first.post(agents_request(3))

    async def evaluating() -> bool | None:
        return (await first.status(report_id))["status"] == "evaluating" or None

    await until(evaluating, "the report to be planned", 20)
    await first.kill()

    second = await start(tmp_path, "--latency", "0")
    try:
        assert (await second.final(report_id))["status"] == "completed"
    finally:
        assert await second.stop() == 0


def incompressible(size: int) -> str:
    """Text that takes as many bytes on the wire as it has characters."""
    return random.Random(size).randbytes(size // 2).hex()


def record_of(report_id: str, size: int) -> bytes:
    """A request whose record is of about this many bytes."""
    request: Json = {"type": "ReportRequested", "report_id": report_id, **agents_request(1)}
    room = size - len(json.dumps(request)) - 200
    request["data"]["agents"][0]["runs"][0]["output"] = incompressible(room)
    return json.dumps(request).encode()


async def test_a_request_of_nearly_a_record_is_served(stack: Stack) -> None:
    record = record_of("nearly", LARGEST_RECORD)

    await stack.publish("report.requests", (record, b"nearly"))

    async def served() -> bool | None:
        answer = await stack.http.get("/reports/nearly")
        return (answer.status_code == 200 and answer.json()["status"] == "completed") or None

    assert await until(served, "the request to be served", 30)


async def test_a_request_larger_than_a_record_is_refused_to_who_publishes_it_and_taken_by_http(
    stack: Stack, tmp_path: Path
) -> None:
    record = record_of("larger", LARGEST_RECORD + 50_000)

    with pytest.raises(MessageSizeTooLargeError):
        await stack.publish("report.requests", (record, b"larger"))
    status = await stack.final(await stack.post({**json.loads(record), "report_id": "larger-by-http"}))

    assert status["status"] == "completed"
    assert load_workbook(await stack.workbook("larger-by-http", tmp_path), read_only=True).sheetnames


async def test_an_unreadable_record_of_the_largest_size_becomes_a_dead_letter(stack: Stack) -> None:
    await stack.publish("report.requests", (b"x" * (LARGEST_RECORD - 200), b"largest"))

    async with stack.reading("report.requests.dead") as consumer:

        async def buried() -> int | None:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == b"largest":
                        return len(record.value)
            return None

        assert await until(buried, "the dead letter", 20) == LARGEST_RECORD - 200


async def test_tasks_with_the_most_evidence_that_may_be_configured_fit_a_record(tmp_path: Path) -> None:
    most = {"REPORT_EVIDENCE_BYTES": "800000", "REPORT_ROW_BYTES": "100000", "REPORT_CONTEXT_TOKENS": "2000000"}
    stack = await start(tmp_path, **most)
    try:
        request = agents_request(2, runs=20, options={"overview": "concurrent"})
        for agent in request["data"]["agents"]:
            for run in agent["runs"]:
                run["output"] = '\N{LATIN SMALL LETTER U WITH DIAERESIS}"' * 40_000 + incompressible(40_000)

        status = await stack.final(await stack.post(request))

        assert status["status"] == "completed"
        async with stack.reading("evaluation.tasks") as consumer:

            async def three() -> list[int] | None:
                while len(sizes) < 3:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        sizes.extend(len(record.value) for record in records)
                return sizes

            sizes: list[int] = []
            await until(three, "the tasks", 20)
        assert 700_000 < max(sizes) < 900_000
    finally:
        assert await stack.stop() == 0
