"""What the clock tells of passed deadlines, and how often."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from prometheus_client import CollectorRegistry

from services.renderer.clock import Clock
from shared.messages import DeadlinePassed
from shared.state import Report
from shared.telemetry import Metrics
from tests.builders import a_report
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


class Overdue:
    """Reports whose time is up and which nobody folds."""

    def __init__(self, *reports: Report) -> None:
        self.reports = list(reports)
        self.told: list[DeadlinePassed] = []

    async def overdue(self, now: datetime) -> AsyncIterator[Report]:
        for report in self.reports:
            assert report.deadline_at <= now
            yield report

    async def rendering(self) -> AsyncIterator[Report]:
        for report in self.reports[:0]:
            yield report

    async def count_open(self) -> int:
        return len(self.reports)

    async def expire(self, now: datetime) -> int:
        raise AssertionError(now)

    async def event(self, event: DeadlinePassed) -> None:
        self.told.append(event)


def ticking(world: Overdue, now: FakeClock) -> Clock:
    return Clock(
        reports=world,
        files=world,
        tell=world,
        start_render=lambda _: None,
        metrics=Metrics(CollectorRegistry(), "renderer", "1"),
        now=now,
        every_seconds=1,
    )


async def test_a_passed_deadline_is_told_at_once_and_then_ever_more_rarely() -> None:
    world, now = Overdue(a_report()), FakeClock()
    now.advance(3600)
    clock = ticking(world, now)
    told_at = []
    for second in range(60):
        before = len(world.told)
        await clock.tick()
        if len(world.told) > before:
            told_at.append(second)
        now.advance(1)

    assert told_at == [0, 5, 15, 35]


async def test_a_report_that_was_folded_and_is_overdue_again_is_told_at_once() -> None:
    report, now = a_report(), FakeClock()
    world = Overdue(report)
    now.advance(3600)
    clock = ticking(world, now)
    await clock.tick()
    world.reports = []
    await clock.tick()
    world.reports = [report]
    await clock.tick()

    assert len(world.told) == 2
