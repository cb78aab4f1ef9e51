"""Looks at the clock for all reports: passed deadlines become events, abandoned renderings are begun again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from shared.messages import DeadlinePassed
from shared.state import Report
from shared.telemetry import Metrics

FILES_EVERY = 600  # ticks between two looks for expired workbooks
SAY_AGAIN = timedelta(seconds=5)  # a deadline that is not folded yet; doubles: a fold that is behind needs no more
LONGEST_SAY_AGAIN = timedelta(minutes=5)


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


class Told(NamedTuple):
    """When a passed deadline is to be told again, should it still be needed, and how long after that."""

    again_at: datetime
    then: timedelta


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
        self._told: dict[DeadlinePassed, Told] = {}

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
        now = self._now()
        overdue = [
            DeadlinePassed(report_id=report.report_id, generation=report.generation, at=report.deadline_at)
            async for report in self._reports.overdue(now)
        ]
        self._told = {event: self._told[event] for event in overdue if event in self._told}
        for event in overdue:
            await self._tell_in_time(event, now)
        rendering = 0
        async for report in self._reports.rendering():
            self._start_render(report)
            rendering += 1
        self._metrics.reports_rendering.set(rendering)
        self._metrics.reports_overdue.set(len(overdue))
        self._metrics.reports_open.set(await self._reports.count_open())

    async def _tell_in_time(self, event: DeadlinePassed, now: datetime) -> None:
        told = self._told.get(event, Told(now, SAY_AGAIN))
        if now >= told.again_at:
            await self._tell.event(event)
            self._told[event] = Told(now + told.then, min(2 * told.then, LONGEST_SAY_AGAIN))
