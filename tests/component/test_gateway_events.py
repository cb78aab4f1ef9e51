"""Following a report through the gateway: Server-Sent Events."""

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

from services.gateway.events import Rhythm
from shared.statuses import status_of
from tests.gateways import REQUEST, AGateway

PATIENT = Rhythm(look_seconds=60, heartbeat_seconds=60)


class Event(NamedTuple):
    """What a client makes of an event."""

    id: str
    data: Any


class Follower:
    """A client of the events of `r1`, reading as they come; httpx2 in process would wait for the last one."""

    def __init__(self, gateway: AGateway, last_event_id: str | None = None) -> None:
        self.text = ""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.reads = asyncio.Event()
        self.reads.set()
        self._gone = asyncio.Event()
        headers = [(b"host", b"localhost")]
        if last_event_id is not None:
            headers.append((b"last-event-id", last_event_id.encode()))
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/reports/r1/events",
            "raw_path": b"/reports/r1/events",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        self.task = asyncio.create_task(gateway.app(self._scope, self._receive, self._send))

    @property
    def events(self) -> list[Event]:
        blocks = [block for block in self.text.split("\n\n") if block.startswith("id: ")]
        return [Event(*_fields(block)) for block in blocks]

    @property
    def versions(self) -> list[int]:
        return [int(event.id) for event in self.events]

    def leave(self) -> None:
        self._gone.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(2):
            while not condition():  # noqa: ASYNC110  # any condition
                await asyncio.sleep(0.001)

    async def end(self) -> None:
        async with asyncio.timeout(2):
            await self.task

    async def _receive(self) -> MutableMapping[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            await self.reads.wait()
            self.text += message.get("body", b"").decode()


async def test_the_stored_status_comes_first_then_every_change_until_the_report_ends() -> None:
    gateway = AGateway(rhythm=PATIENT)
    gateway.has(version=3, status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: follower.versions == [3])
    gateway.hub.tell(status_of(gateway.has(version=4, status="rendering")))
    await follower.until(lambda: follower.versions == [3, 4])
    gateway.hub.tell(status_of(gateway.has_finished(version=5)))
    await follower.end()
    assert follower.versions == [3, 4, 5]
    assert [event.data["status"] for event in follower.events] == ["evaluating", "rendering", "completed"]
    assert follower.events[-1].data["workbook"]["href"] == "http://localhost/reports/r1/workbook"
    assert follower.headers["content-type"].startswith("text/event-stream")
    assert follower.headers["cache-control"] == "no-store"
    assert gateway.hub.listened_to == 0


async def test_lower_versions_are_not_shown() -> None:
    gateway = AGateway(rhythm=PATIENT)
    old = status_of(gateway.has(version=2, status="evaluating"))
    gateway.has(version=3, status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: follower.versions == [3])
    gateway.hub.tell(old)
    gateway.hub.tell(status_of(gateway.has(version=3, status="evaluating")))
    gateway.hub.tell(status_of(gateway.has_finished(version=4)))
    await follower.end()
    assert follower.versions == [3, 4]


async def test_a_report_is_followed_from_its_acceptance() -> None:
    gateway = AGateway(rhythm=PATIENT)
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
    follower = Follower(gateway)
    await follower.until(lambda: follower.versions == [0])
    gateway.hub.tell(status_of(gateway.has_finished(version=1)))
    await follower.end()
    assert [event.data["status"] for event in follower.events] == ["accepted", "completed"]


async def test_a_broadcast_that_was_missed_is_read_from_the_store() -> None:
    gateway = AGateway()
    gateway.has(version=1, status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: follower.versions == [1])
    gateway.has_finished(version=2)
    await follower.end()
    assert follower.versions == [1, 2]


async def test_a_database_that_is_away_for_a_while_does_not_end_the_stream() -> None:
    gateway = AGateway()
    gateway.has(version=1, status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: follower.versions == [1])
    gateway.reports.away = True
    await follower.until(lambda: follower.text.count(": alive") >= 2)
    gateway.has_finished(version=2)
    gateway.reports.away = False
    await follower.end()
    assert follower.versions == [1, 2]


async def test_silence_is_filled_with_comments() -> None:
    gateway = AGateway()
    gateway.has(version=1, status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: follower.text.count(": alive\n\n") >= 3)
    assert follower.versions == [1]
    follower.leave()
    await follower.end()


async def test_a_client_that_comes_back_gets_what_it_has_not_seen() -> None:
    gateway = AGateway(rhythm=PATIENT)
    gateway.has(version=3, status="evaluating")
    follower = Follower(gateway, last_event_id="3")
    await follower.until(lambda: gateway.hub.listened_to == 1)
    gateway.hub.tell(status_of(gateway.has_finished(version=4)))
    await follower.end()
    assert follower.versions == [4]


async def test_a_client_that_has_seen_the_end_is_told_not_to_come_back() -> None:
    gateway = AGateway()
    gateway.has_finished(version=4)
    follower = Follower(gateway, last_event_id="4")
    await follower.end()
    assert (follower.status, follower.text) == (204, "")


async def test_an_event_id_that_cannot_be_is_ignored() -> None:
    gateway = AGateway()
    gateway.has_finished(version=4)
    for wrong in ("5", "x", "-1"):
        follower = Follower(gateway, last_event_id=wrong)
        await follower.end()
        assert follower.versions == [4]


async def test_nothing_is_left_of_a_client_that_goes_away() -> None:
    gateway = AGateway(rhythm=PATIENT)
    gateway.has(status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: gateway.hub.listened_to == 1 and bool(follower.versions))
    follower.leave()
    await follower.end()
    assert gateway.hub.listened_to == 0


async def test_a_slow_client_gets_the_newest_status_and_not_all_that_it_missed() -> None:
    gateway = AGateway(rhythm=PATIENT)
    gateway.has(version=1, status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: follower.versions == [1])
    follower.reads.clear()
    for version in range(2, 100):
        gateway.hub.tell(status_of(gateway.has(version=version, status="evaluating")))
        await asyncio.sleep(0)
    gateway.hub.tell(status_of(gateway.has_finished(version=100)))
    follower.reads.set()
    await follower.end()
    assert len(follower.versions) <= 3
    assert follower.versions[-1] == 100


async def test_nothing_is_left_of_a_client_that_goes_away_without_reading() -> None:
    gateway = AGateway(rhythm=PATIENT)
    gateway.has(version=1, status="evaluating")
    follower = Follower(gateway)
    follower.reads.clear()
    await follower.until(lambda: gateway.hub.listened_to == 1)
    follower.leave()
    await follower.end()
    assert gateway.hub.listened_to == 0


async def test_streams_end_when_the_gateway_stops() -> None:
    gateway = AGateway(rhythm=PATIENT)
    gateway.has(status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: bool(follower.versions))
    gateway.hub.close()
    await follower.end()


async def test_a_stream_ends_when_its_report_has_expired() -> None:
    gateway = AGateway()
    gateway.has(status="evaluating")
    follower = Follower(gateway)
    await follower.until(lambda: bool(follower.versions))
    gateway.reports.stored.clear()
    await follower.end()


def _fields(block: str) -> tuple[str, Any]:
    event_id, data = block.split("\n")
    return event_id.removeprefix("id: "), json.loads(data.removeprefix("data: "))
