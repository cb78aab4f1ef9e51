"""A whole Assay on this machine, as `assay standalone` starts it: real broker, real database, real processes."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from shared import lifeline

START_SECONDS = 90
END_SECONDS = 60
FINAL = {"completed", "completed_with_errors", "failed", "cancelled", "rejected"}

Json = dict[str, Any]
Found = TypeVar("Found")

_CONFIGURED: dict[str, str] = {}  # what every stack of this run is told


def stand_on(kafka: str | None, mongo: str | None = None) -> None:
    """Have all stacks that start from now on share the servers at these addresses; None: each embeds its own."""
    _CONFIGURED.clear()
    if kafka is not None:
        _CONFIGURED.update(on_kafka(kafka))
    if mongo is not None:
        _CONFIGURED["MONGO_URL"] = mongo


def on_kafka(address: str) -> dict[str, str]:
    """What a stack is told of a real broker: as in production, but quick to see that a member died."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": address,
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
        "KAFKA_HEARTBEAT_INTERVAL_MS": "500",
    }


class Stack:
    """A running standalone and what a test does to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, addresses: Mapping[str, str], prefix: str, database: str
    ) -> None:
        self.process = process
        self.prefix = prefix
        self.database = database
        self.gateway = addresses["gateway"]
        self.kafka = addresses["kafka"]
        self.mongo = addresses["mongo"]
        self.judge = addresses["judge"]
        self.http = httpx2.AsyncClient(base_url=self.gateway, timeout=30)

    async def behave(self, **behaviour: object) -> None:
        """Tell the stand-in judge how to be; what is not said is as at the start."""
        answer = await self.http.put(f"{self.judge.removesuffix('/v1')}/behaviour", json=behaviour)
        assert answer.is_success, answer.text

    async def calls(self) -> Json:
        """What the stand-in judge has counted."""
        answer: Json = (await self.http.get(f"{self.judge.removesuffix('/v1')}/calls")).json()
        return answer

    async def post(self, request: Json) -> str:
        """Ask for a report; its id."""
        answer = await self.http.post("/reports", json=request)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["report_id"])

    async def status(self, report_id: str) -> Json:
        """The status document."""
        answer = await self.http.get(f"/reports/{report_id}")
        assert answer.status_code == 200, answer.text
        document: Json = answer.json()
        return document

    async def final(self, report_id: str, seconds: float = END_SECONDS) -> Json:
        """The status document once the report has ended."""

        async def ended() -> Json | None:
            document = await self.status(report_id)
            return document if document["status"] in FINAL else None

        return await until(ended, f"report {report_id} to end", seconds)

    async def workbook(self, report_id: str, folder: Path) -> Path:
        """The downloaded workbook."""
        answer = await self.http.get(f"/reports/{report_id}/workbook")
        assert answer.status_code == 200, answer.text
        path = folder / f"{report_id}.xlsx"
        path.write_bytes(answer.content)
        return path

    def topic(self, name: str) -> str:
        """A topic's name on this stack's broker."""
        return f"{self.prefix}{name}"

    async def publish(self, topic: str, *records: tuple[bytes, bytes | None]) -> None:
        """Put raw records, value and key, on a topic. They may be larger than what a service would send."""
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, max_request_size=16 * 1024 * 1024)
        await producer.start()
        try:
            for value, key in records:
                await producer.send_and_wait(self.topic(topic), value, key=key)
        finally:
            await producer.stop()

    @asynccontextmanager
    async def reading(self, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer of everything on these topics, from the beginning, in no group."""
        names = [self.topic(name) for name in topics]
        consumer = AIOKafkaConsumer(
            *names, bootstrap_servers=self.kafka, auto_offset_reset="earliest", fetch_max_wait_ms=20
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    def pids(self, room: str) -> list[int]:
        """The processes of a room that descend from this standalone."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == self.process.pid and f"services.{room}".encode() in words:
                found.append(int(folder.name))
        return found

    def page(self, room: str, name: str) -> str:
        """The address of a page of the only process of a room."""
        (pid,) = self.pids(room)
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        port = next(word for word in words if word.startswith(b"HTTP_PORT=")).partition(b"=")[2].decode()
        return f"http://127.0.0.1:{port}/{name}"

    async def kill(self) -> None:
        """End it without a chance to tidy up."""
        await self.http.aclose()
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """End it as a person would; its exit code."""
        await self.http.aclose()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 60)


async def start(data_dir: Path, *options: str, **environment: str) -> Stack:
    """Start a standalone and wait until it is ready. The same directory has the same topics again."""
    told = {**_CONFIGURED, **environment}
    own = f"t{sha256(str(data_dir).encode()).hexdigest()[:12]}." if "KAFKA_BOOTSTRAP_SERVERS" in told else ""
    prefix = told.get("KAFKA_TOPIC_PREFIX", own)
    own_database = f"assay-{own.rstrip('.')}" if "MONGO_URL" in told else "assay"
    database = told.setdefault("MONGO_DATABASE", own_database)
    told.setdefault("MONGO_SOURCE_DATABASE", f"{database}_source")
    words = ("standalone", "--data-dir", str(data_dir), "--port", "0", *options)
    process = await asyncio.create_subprocess_exec(
        *lifeline.command(sys.executable, "-m", "services.console", *words),  # also where the test run is killed
        stdout=asyncio.subprocess.PIPE,
        env={**clean_environment(), **told, "KAFKA_TOPIC_PREFIX": prefix},
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    assert line, f"standalone ended with {await process.wait()} before it was ready: see {data_dir}/logs"
    return Stack(process, json.loads(line), prefix, database)


def clean_environment() -> dict[str, str]:
    """Without whatever would connect the tests to something real."""
    prefixes = ("KAFKA_", "MONGO_", "OPENAI_", "LLM_", "REPORT_", "GATEWAY_", "HTTP_", "STANDIN_", "ASSAY_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}  # noqa: TID251


async def until(look: Callable[[], Awaitable[Found | None]], what: str, seconds: float) -> Found:
    """What `look` finds, looked for until it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


class Echo:
    """Publishes every record of some topics a second time, later records first, while a report is under way."""

    def __init__(self, stack: Stack, topics: Sequence[str]) -> None:
        self.count = 0
        self._stack = stack
        self._topics = topics
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._run(ready))
        await ready.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, ready: asyncio.Event) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._stack.kafka)
        await producer.start()
        try:
            async with self._stack.reading(*self._topics) as consumer:
                await consumer.seek_to_end()
                ready.set()
                while True:
                    found = await consumer.getmany(timeout_ms=50)
                    fresh = [record for records in found.values() for record in records if not _is_echo(record)]
                    for record in reversed(fresh):
                        await self._again(producer, record)
        finally:
            await producer.stop()

    async def _again(self, producer: AIOKafkaProducer, record: ConsumerRecord[bytes, bytes]) -> None:
        self.count += 1
        headers = [*record.headers, ("x-echo", b"1")]
        await producer.send_and_wait(
            record.topic, record.value, key=record.key, partition=record.partition, headers=headers
        )


def _is_echo(record: ConsumerRecord[bytes, bytes]) -> bool:
    return any(name == "x-echo" for name, _ in record.headers)
