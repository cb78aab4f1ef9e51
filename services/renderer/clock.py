"""Looks at the clock for all reports: passed deadlines become events, abandoned renderings are begun again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol

from shared.messages import DeadlinePassed
from shared.state import Report
from shared.telemetry import Metrics

FILES_EVERY = 600  # ticks between two looks for expired workbooks


class Reports(Protocol):
    """Which reports are due."""

    def overdue(self, now: datetime) -> AsyncIterator[Report]:
        """Reports whose evaluation should have ended."""

    def rendering(self) -> AsyncIterator[Report]:
        """Reports that wait for their workbook."""

    async def count_open(self) -> int:
        """How many have not ended."""


class Files(Protocol):
    """The stored workbooks."""

    async def expire(self, now: datetime) -> int:
        """Delete those whose time is up."""


class Tell(Protocol):
    """How the fold hears of it."""

    async def event(self, event: DeadlinePassed) -> None:
        """Publish an event."""


class Clock:
    """Ticks in every renderer; what two of them say twice is folded once."""

    def __init__(
        self,
        *,
        reports: Reports,
        files: Files,
        tell: Tell,
        start_render: Callable[[Report], None],
        metrics: Metrics,
        now: Callable[[], datetime],
        every_seconds: float,
    ) -> None:
        self._reports = reports
        self._files = files
        self._tell = tell
        self._start_render = start_render
        self._metrics = metrics
        self._now = now
        self._every = every_seconds

    async def run(self) -> None:
        """Tick until cancelled."""
        ticks = 0
        while True:
            await self.tick()
            if ticks % FILES_EVERY == 0:
                await self._files.expire(self._now())
            ticks += 1
            await asyncio.sleep(self._every)

    async def tick(self) -> None:
        """Look once."""
        overdue = 0
        now = self._now()
        async for report in self._reports.overdue(now):
            overdue += 1
            await self._tell.event(
                DeadlinePassed(report_id=report.report_id, generation=report.generation, at=report.deadline_at)
            )
        async for report in self._reports.rendering():
            self._start_render(report)
        self._metrics.reports_overdue.set(overdue)
        self._metrics.reports_open.set(await self._reports.count_open())
