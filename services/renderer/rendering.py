"""Runs in the render process: reads a report from the store, writes its workbook, stores the file."""

import asyncio
import gc
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from services.renderer import workbook
from services.renderer.past import Past
from services.renderer.rehearsal import PARTS, PLAN, REPORT, ROWS
from services.renderer.workbook import Draft
from shared.evaluations import FrozenRow, Part
from shared.lifeline import end_with_parent
from shared.settings import MongoSettings
from shared.state import Plan, Report
from shared.store import Store, connect
from shared.together import together
from shared.vocabulary import Status

MOST_DRAFTS = 8
MOST_PREPARED_ROWS = 2_000  # a tenth of a second, which another report may have to wait


class Rendered(NamedTuple):
    """A stored workbook."""

    file_id: str
    sha256: str
    bytes: int
    seconds: float


class UnknownReportError(Exception):
    """There is no plan or no state to render from."""


class _Process:
    """What the process keeps between two workbooks: its loop, its connection, and what it has prepared."""

    def __init__(self, settings: MongoSettings) -> None:
        self.drafts: dict[str, Draft] = {}
        self.runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.store: Store = self.runner.run(self._open(settings))

    def keep(self, token: str, draft: Draft) -> None:
        """Keep a draft for its report; the oldest goes when there are too many."""
        self.drafts[token] = draft
        if len(self.drafts) > MOST_DRAFTS:
            workbook.discard(self.drafts.pop(next(iter(self.drafts))))

    async def _open(self, settings: MongoSettings) -> Store:
        return await self._stack.enter_async_context(connect(settings))


_process: _Process | None = None  # of the render process alone; the room's own process never sets it


def start(settings: MongoSettings, room: int) -> None:
    """Called once in a new render process of the room with this process id, which may have ended meanwhile."""
    global _process  # noqa: PLW0603  # an executor's initializer has no other place to leave something
    end_with_parent(room)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the room, which ends this process
    _process = _Process(settings)


def warm_up() -> None:
    """Build a workbook for nobody, so that the first real one finds everything loaded and connected."""
    process = _started()
    process.runner.run(_rehearse(process.store))
    gc.collect()
    gc.freeze()  # what is loaded stays: no use in looking through it while a workbook is built


async def _rehearse(store: Store) -> None:
    await store.ping()
    with tempfile.TemporaryDirectory(prefix="assay-render-") as folder:
        await workbook.write(Path(folder) / "rehearsal.xlsx", PLAN, REPORT, PARTS, _rehearsed_rows())


async def _rehearsed_rows() -> AsyncIterator[FrozenRow]:
    for row in ROWS:
        yield row


def _started() -> _Process:
    if _process is None:
        raise RuntimeError("start() has not been called in this process")
    return _process


def prepare(report_id: str) -> None:
    """Write a report's evidence while its outcomes are still to come; `render` then has the rest to do."""
    process = _started()
    process.runner.run(_prepare(process, report_id))


async def _prepare(process: _Process, report_id: str) -> None:
    store = process.store
    plan, report = await store.plans.get(report_id), await store.reports.get(report_id)
    if plan is None or report is None or report.status is not Status.EVALUATING or plan.rows > MOST_PREPARED_ROWS:
        return
    parts = await _parts(store, report_id)
    process.keep(plan.token, await workbook.begin(plan, report, parts, store.evidence.of_plan(plan.token)))


def render(report_id: str, retention: timedelta) -> Rendered:
    """Build and store the workbook of a report. Raises what stops it."""
    process = _started()
    return process.runner.run(_render(process, report_id, retention))


async def _parts(store: Store, report_id: str) -> list[Part]:
    return [part async for part in store.parts.of_report(report_id)]


async def _past(store: Store, plan: Plan, report: Report) -> Past:
    """Read only where there is one: most reports are neither retried nor compared."""
    earlier = [result async for result in store.parts.earlier(plan.report_id)] if report.generation > 1 else ()
    baseline = [part async for part in store.baselines.of_plan(plan.token)] if plan.baseline else ()
    return Past(tuple(earlier), tuple(baseline))


async def _render(process: _Process, report_id: str, retention: timedelta) -> Rendered:
    began = time.monotonic()
    store = process.store
    async with together() as reads:
        reading_plan = reads.create_task(store.plans.get(report_id))
        reading_report = reads.create_task(store.reports.get(report_id))
        reading_parts = reads.create_task(_parts(store, report_id))
    plan, report, parts = reading_plan.result(), reading_report.result(), reading_parts.result()
    if plan is None or report is None:
        raise UnknownReportError(f"report {report_id} has no stored plan or state")
    draft = process.drafts.pop(plan.token, None)
    if draft is None:
        draft = await workbook.begin(plan, report, parts, store.evidence.of_plan(plan.token))
    with tempfile.TemporaryDirectory(prefix="assay-render-") as folder:
        path = Path(folder) / "workbook.xlsx"
        workbook.finish(draft, path, plan, report, parts, past=await _past(store, plan, report))
        digest = sha256(path.read_bytes()).hexdigest()
        size = path.stat().st_size
        file_id = await store.workbooks.store(path, f"{report_id}.xlsx", plan.accepted_at + retention)
    return Rendered(file_id, digest, size, time.monotonic() - began)
