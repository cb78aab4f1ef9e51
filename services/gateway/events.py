"""Streams a report's statuses as Server-Sent Events: the stored one, then every change, until the report ends."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import NamedTuple

from starlette.responses import StreamingResponse
from starlette.types import Send

from services.gateway.live import Hub
from shared.messages import ReportStatus
from shared.store import StoreUnavailableError

Look = Callable[[], Awaitable[ReportStatus | None]]
"""The report's status as stored, None once it is gone."""


class Rhythm(NamedTuple):
    """How often the store is asked although nothing was heard, as a broadcast can be missed; how long silence lasts."""

    look_seconds: float = 2.0
    heartbeat_seconds: float = 15.0


class EventStream(StreamingResponse):
    """The response. Its source is closed with it, also where the client went away while it was being written to."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str, None]) -> None:
        self._events = events
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        """Send what comes."""
        async with aclosing(self._events):
            await super().stream_response(send)


def version_seen(last_event_id: str | None, stored: ReportStatus) -> int:
    """The version a client that comes back has; what cannot be one counts for nothing."""
    if last_event_id is None or not last_event_id.isascii() or not last_event_id.isdigit():
        return -1
    seen = int(last_event_id[:18])
    return seen if seen <= stored.version else -1


async def events(
    hub: Hub, first: ReportStatus, seen: int, look: Look, rhythm: Rhythm
) -> AsyncGenerator[ReportStatus | None, None]:
    """The statuses of a report from `first` on, without versions up to `seen`; None where nothing came for long."""
    now = asyncio.get_running_loop().time
    with hub.listening(first.report_id) as listener:
        status: ReportStatus | None = first
        spoke_at = now()
        wait = 0.0  # look at once: the report may have moved on before there was a listener
        while status is not None and not listener.closed:
            if status.version > seen:
                yield status
                seen, spoke_at = status.version, now()
                if status.status.is_final:
                    return
            elif now() - spoke_at >= rhythm.heartbeat_seconds:
                yield None
                spoke_at = now()
            status = await listener.latest(wait) or await _stored(look, status)
            wait = max(0.0, min(rhythm.look_seconds, spoke_at + rhythm.heartbeat_seconds - now()))


async def written(
    statuses: AsyncGenerator[ReportStatus | None, None], shown: Callable[[ReportStatus], ReportStatus]
) -> AsyncGenerator[str, None]:
    """The same as it goes over the wire; an event's id is its version, silence is a comment."""
    async with aclosing(statuses):
        async for status in statuses:
            if status is None:
                yield ": alive\n\n"
            else:
                yield f"id: {status.version}\ndata: {shown(status).model_dump_json()}\n\n"


async def _stored(look: Look, known: ReportStatus) -> ReportStatus | None:
    try:
        return await look()
    except StoreUnavailableError:
        return known  # a listener can wait until the database is back
