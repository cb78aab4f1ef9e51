"""Talks to the render process; each workbook is leased, so that two renderers do not build the same one."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Protocol

from services.renderer import rendering
from services.renderer.rendering import Rendered
from shared.messages import RenderFailed, WorkbookRendered
from shared.settings import MongoSettings, ReportSettings
from shared.state import Report
from shared.store import StoreUnavailableError
from shared.telemetry import Metrics

logger = logging.getLogger(__name__)

PREPARE_AFTER_SECONDS = 0.25
MOST_REMEMBERED = 1_000  # reports whose evidence has been written ahead
AFTERGLOW = timedelta(seconds=2)  # a lease outlives its workbook until the event about it is folded


class Leases(Protocol):
    """Who is building which workbook."""

    async def claim(self, key: str, owner: str, now: datetime, until: datetime, expires_at: datetime) -> bool:
        """Take it if it is free."""

    async def renew(self, key: str, owner: str, until: datetime) -> None:
        """Keep it."""

    async def release(self, key: str, owner: str) -> None:
        """Give it back."""


class Tell(Protocol):
    """How the fold hears of it."""

    async def event(self, event: WorkbookRendered | RenderFailed) -> None:
        """Publish an event."""


class Press:
    """The render processes of one renderer."""

    def __init__(
        self,
        *,
        mongo: MongoSettings,
        settings: ReportSettings,
        leases: Leases,
        tell: Tell,
        metrics: Metrics,
        owner: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._mongo = mongo
        self._settings = settings
        self._leases = leases
        self._tell = tell
        self._metrics = metrics
        self._owner = owner
        self._clock = clock
        self._running: dict[str, asyncio.Task[None]] = {}
        self._prepared: dict[str, None] = {}
        self._pool = self._new_pool()
        metrics.render_running.set_function(lambda: len(self._running))
        metrics.render_processes.watch(self._process_ids)

    def _process_ids(self) -> list[int]:
        return [*(self._pool._processes or {})]  # noqa: SLF001  # there is no public way to tell

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._settings.render_processes,
            mp_context=get_context("spawn"),  # a fork would carry the room's sockets and threads along
            initializer=rendering.start,
            initargs=(self._mongo, os.getpid()),
        )

    async def warm_up(self) -> None:
        """Have the processes ready before the first report needs them."""
        loop = asyncio.get_running_loop()
        await asyncio.wait(
            [loop.run_in_executor(self._pool, rendering.warm_up) for _ in range(self._settings.render_processes)]
        )

    def start(self, report: Report) -> None:
        """Begin to build the report's workbook, unless this process is at it already."""
        key = f"{report.report_id}/{report.generation}"
        if key in self._running:
            return
        task = asyncio.create_task(self._run(key, report))
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))

    def prepare(self, report: Report) -> None:
        """Have the evidence of a report written while it is evaluated: once the tasks are out, so as not to slow them.

        An advance, no promise: what fails here is done, or fails aloud, when the workbook is built.
        """
        key = f"{report.report_id}/{report.generation}"
        if self._settings.render_processes > 1 or key in self._prepared:
            return  # with several processes nobody knows which will build the workbook
        self._prepared[key] = None
        if len(self._prepared) > MOST_REMEMBERED:
            del self._prepared[next(iter(self._prepared))]
        asyncio.get_running_loop().call_later(PREPARE_AFTER_SECONDS, self._prepare, report.report_id)

    def _prepare(self, report_id: str) -> None:
        job = self._pool.submit(rendering.prepare, report_id)
        job.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def stop(self) -> None:
        """End the processes; the leases of unfinished workbooks are given back."""
        for task in [*self._running.values()]:
            task.cancel()
        if self._running:
            await asyncio.wait([*self._running.values()], timeout=5)
        for process in [*(self._pool._processes or {}).values()]:  # noqa: SLF001  # there is no public way to end one
            process.kill()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, key: str, report: Report) -> None:
        now = self._clock()
        retention = timedelta(days=self._settings.retention_days)
        if not await self._leases.claim(key, self._owner, now, self._until(), report.accepted_at + retention):
            return
        finished = False
        keeping = asyncio.create_task(self._keep(key))
        try:
            finished = await self._build(report, retention)
        finally:
            keeping.cancel()
            if finished:
                await self._leases.renew(key, self._owner, self._clock() + AFTERGLOW)
            else:
                await self._leases.release(key, self._owner)

    async def _build(self, report: Report, retention: timedelta) -> bool:
        """True if a workbook is stored and the fold told of it."""
        job = asyncio.get_running_loop().run_in_executor(self._pool, rendering.render, report.report_id, retention)
        await asyncio.wait({job})
        error = job.exception()
        if error is None:
            await self._tell.event(self._rendered(report, job.result()))
            return True
        if isinstance(error, BrokenProcessPool):
            self._pool = self._new_pool()
        if isinstance(error, StoreUnavailableError):
            logger.warning("rendering %s waits for the database: %r", report.report_id, error)
            return False
        logger.error("rendering %s failed", report.report_id, exc_info=error)
        self._metrics.render_failures.inc()
        await self._tell.event(
            RenderFailed(
                report_id=report.report_id,
                generation=report.generation,
                attempt=report.render_failures + 1,
                detail=f"{type(error).__name__}: {error}"[:500],
                at=self._clock(),
            )
        )
        return False

    def _rendered(self, report: Report, rendered: Rendered) -> WorkbookRendered:
        self._metrics.render_seconds.observe(rendered.seconds)
        self._metrics.render_bytes.inc(rendered.bytes)
        return WorkbookRendered(
            report_id=report.report_id,
            generation=report.generation,
            file_id=rendered.file_id,
            sha256=rendered.sha256,
            bytes=rendered.bytes,
            seconds=rendered.seconds,
            at=self._clock(),
        )

    async def _keep(self, key: str) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            await self._leases.renew(key, self._owner, self._until())

    def _until(self) -> datetime:
        return self._clock() + timedelta(seconds=self._settings.lease_seconds)
