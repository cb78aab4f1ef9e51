"""Talks to Jaeger's query API: the trace of one run in, by the trace's id or by the run's own as a tag."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import httpx2
from pydantic import BaseModel, ValidationError

from services.orchestrator.spans import MICRO, RUN_TAG, NoTrace, RunTrace, Trace, Traces, run_trace
from shared.settings import JaegerSettings

LARGEST_ANSWER_BYTES = 8_000_000
MOST_SERVICES = 10  # searched for a run, where none is configured
MOST_TRACES = 20  # of one run, in one service

NOT_FOUND = NoTrace("no trace found")
UNREADABLE = NoTrace("not read: Jaeger's answer cannot be understood")
UNREACHABLE = NoTrace("not read: Jaeger cannot be reached", silent=True)
TOO_LARGE = NoTrace(f"not read: larger than {LARGEST_ANSWER_BYTES:,} bytes")
BAD_ID = NoTrace("not read: trace_id is not the id of a trace")
TOO_MANY_SERVICES = NoTrace(f"not read: JAEGER_SERVICES is not set, and Jaeger knows more than {MOST_SERVICES}")

_TRACE_ID = re.compile(r"[0-9A-Fa-f]{1,32}")


class Sought(NamedTuple):
    """What a run's trace is found by: the trace's id if the run names it, else the run's own, within [start, end)."""

    run_id: str
    trace_id: str | None
    start: datetime | None
    end: datetime


class _Names(BaseModel):
    data: list[str] | None = None


class Jaeger:
    """One Jaeger, for all reports of the process; a bounded number of calls at once."""

    def __init__(self, client: httpx2.AsyncClient, settings: JaegerSettings) -> None:
        self._client = client
        self._seconds = settings.timeout_seconds
        self._services = settings.service_names
        self._reads = asyncio.Semaphore(settings.reads)

    async def trace(self, run: Sought) -> RunTrace | NoTrace:
        """What the trace of a run says, or why it says nothing."""
        if run.trace_id is None:
            found = await self._search(run)
        elif _TRACE_ID.fullmatch(run.trace_id):
            found = await self._traces(f"/api/traces/{run.trace_id}", {})
        else:
            return BAD_ID
        return found if isinstance(found, NoTrace) else run_trace(found, run.run_id) or NOT_FOUND

    async def _search(self, run: Sought) -> list[Trace] | NoTrace:
        """Its traces in all services: Jaeger searches one at a time."""
        services = self._services or await self._known_services()
        if isinstance(services, NoTrace):
            return services
        if len(services) > MOST_SERVICES:
            return TOO_MANY_SERVICES
        by_id: dict[str, Trace] = {}
        for service in services:
            found = await self._traces("/api/traces", _query(service, run))
            if isinstance(found, NoTrace):
                return found
            by_id |= {trace.trace_id: trace for trace in found}
        return [*by_id.values()]

    async def _known_services(self) -> tuple[str, ...] | NoTrace:
        content = await self._get("/api/services", {})
        if isinstance(content, NoTrace):
            return content
        try:
            return tuple(_Names.model_validate_json(content).data or ())
        except ValidationError:
            return UNREADABLE

    async def _traces(self, path: str, query: dict[str, str | int]) -> list[Trace] | NoTrace:
        content = await self._get(path, query)
        if isinstance(content, NoTrace):
            return content
        try:
            return Traces.model_validate_json(content).data or []
        except ValidationError:
            return UNREADABLE

    async def _get(self, path: str, query: dict[str, str | int]) -> bytes | NoTrace:
        async with self._reads:
            try:
                async with asyncio.timeout(self._seconds):  # the client's own is per read, not for the whole call
                    return await self._read(path, query)
            except TimeoutError:
                return NoTrace(f"not read: no answer from Jaeger within {self._seconds:g} s", silent=True)
            except httpx2.TransportError:
                return UNREACHABLE

    async def _read(self, path: str, query: dict[str, str | int]) -> bytes | NoTrace:
        body = bytearray()
        async with self._client.stream("GET", path, params=query) as response:
            if response.status_code == httpx2.codes.NOT_FOUND:
                return NOT_FOUND
            if not response.is_success:
                return NoTrace(f"not read: Jaeger answers with HTTP {response.status_code}")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    return TOO_LARGE
        return bytes(body)


@asynccontextmanager
async def opened(settings: JaegerSettings) -> AsyncIterator[Jaeger | None]:
    """The Jaeger that the settings name; None if they name none. Proxies are for the world outside, not for it."""
    if not settings.query_url:
        yield None
        return
    # Each call is bounded as a whole, so the client has no time-out of its own.
    async with httpx2.AsyncClient(base_url=settings.query_url, timeout=None, trust_env=False) as client:
        yield Jaeger(client, settings)


def _query(service: str, run: Sought) -> dict[str, str | int]:
    """Jaeger looks back two days only, unless it is told from when to when."""
    return {
        "service": service,
        "tags": json.dumps({RUN_TAG: run.run_id}),
        "start": _micro(run.start or _EPOCH),
        "end": _micro(run.end),
        "limit": MOST_TRACES,
    }


_EPOCH = datetime.fromtimestamp(0, UTC)


def _micro(at: datetime) -> int:
    return int(at.timestamp() * MICRO)
