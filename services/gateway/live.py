"""Fans statuses out to those who listen: each listener holds one report's latest status and nothing older."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from shared.messages import ReportStatus


class Listener:
    """Waits for one report. However slow its reader, it keeps a single status: the newest."""

    def __init__(self) -> None:
        self._latest: ReportStatus | None = None
        self._news = asyncio.Event()
        self.closed = False

    def offer(self, status: ReportStatus) -> None:
        """Take a status in, unless a newer one waits already."""
        if self._latest is None or status.version > self._latest.version:
            self._latest = status
            self._news.set()

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self._news.set()

    async def latest(self, seconds: float) -> ReportStatus | None:
        """The newest status not yet taken, as soon as there is one; None if none comes in time, or ever."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return None
        self._news.clear()
        status, self._latest = self._latest, None
        return status


class Hub:
    """Who listens to what. A report that nobody listens to costs nothing."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}
        self._closed = False

    @property
    def listened_to(self) -> int:
        """How many reports somebody listens to."""
        return len(self._listeners)

    def tell(self, status: ReportStatus) -> None:
        """Hand a status to those who listen to its report."""
        for listener in self._listeners.get(status.report_id, ()):
            listener.offer(status)

    @contextmanager
    def listening(self, report_id: str) -> Iterator[Listener]:
        """Listen to a report within the block."""
        listener = Listener()
        if self._closed:
            listener.close()
        self._listeners.setdefault(report_id, set()).add(listener)
        try:
            yield listener
        finally:
            listeners = self._listeners[report_id]
            listeners.remove(listener)
            if not listeners:
                del self._listeners[report_id]

    def close(self) -> None:
        """End all listening, now and from now on: the gateway stops, and open streams would keep it from it."""
        self._closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.close()

    async def close_at_end(self) -> None:
        """Wait until cancelled, then close."""
        try:
            await asyncio.Event().wait()
        finally:
            self.close()
