"""The last word on a report is its newest state, also where its publisher was stopped in the middle."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from services.renderer.handlers import FRESH_SECONDS, Handlers
from shared.messages import EvaluationTask, ReportStatus
from shared.state import Report
from shared.telemetry import Metrics
from tests.builders import REPORT_ID, a_report
from tests.fakes import FakeReports

pytestmark = pytest.mark.anyio


class Reports(FakeReports):
    async def fold(self, *_: object) -> Report | None:
        return self.stored[REPORT_ID]


class World:
    """Hears what is said; while it is said, others fold, and time passes."""

    def __init__(self, seconds: float, meanwhile: list[Report]) -> None:
        self.reports = Reports()
        self.reports.put(a_report(version=5))
        self.said: list[int] = []
        self.now = 0.0
        self._seconds = seconds
        self._meanwhile = meanwhile

    async def status(self, status: ReportStatus) -> None:
        self.said.append(status.version)
        self.now += self._seconds
        if self._meanwhile:
            self.reports.put(self._meanwhile.pop(0))

    async def overview(self, task: EvaluationTask) -> None:
        raise AssertionError(task)

    async def fold(self) -> None:
        async def no_task(report: Report) -> None:
            del report

        handlers = Handlers(
            reports=self.reports,
            announce=self,
            overview_task=no_task,
            start_render=lambda _: None,
            prepare_render=lambda _: None,
            metrics=Metrics(CollectorRegistry(), "renderer", "1"),
            retention=timedelta(days=1),
            monotonic=lambda: self.now,
        )
        await handlers.on_events(REPORT_ID, [])


async def test_a_state_told_at_once_is_told_once() -> None:
    world = World(FRESH_SECONDS / 2, [a_report(version=6)])
    await world.fold()

    assert world.said == [5]


async def test_a_publisher_that_was_stopped_in_the_middle_says_the_newest_again() -> None:
    world = World(2 * FRESH_SECONDS, [a_report(version=8), a_report(version=9)])
    await world.fold()

    assert world.said == [5, 8, 9]


async def test_a_late_publisher_whom_nobody_overtook_adds_nothing() -> None:
    world = World(2 * FRESH_SECONDS, [])
    await world.fold()

    assert world.said == [5]
