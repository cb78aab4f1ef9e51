"""What the room does with a batch of one report's events: fold them, then publish what the state calls for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from services.renderer.report import Due, Folded, due, fold, touched
from services.renderer.tally import decided, in_time
from shared.evaluations import Part
from shared.messages import EvaluationTask, Event, ReportStatus
from shared.state import Change, Report
from shared.telemetry import NO_REASON, Metrics
from shared.vocabulary import Status

MOST_REMEMBERED = 10_000
FRESH_SECONDS = 2.0  # below the shortest session: within it nobody else can have told a later state

Decide = Callable[[Report | None, Mapping[str, Part]], Change | None]


class Reports(Protocol):
    """Where reports are kept."""

    async def fold(
        self, report_id: str, part_ids: Sequence[str], decide: Decide, retention: timedelta
    ) -> Report | None:
        """One transaction: read, decide, write; the report afterwards."""

    async def get(self, report_id: str) -> Report | None:
        """The report as it is now."""


class Announce(Protocol):
    """How the world is told."""

    async def status(self, status: ReportStatus) -> None:
        """Publish a report's latest state."""

    async def overview(self, task: EvaluationTask) -> None:
        """Publish the task of an overview."""


OverviewTask = Callable[[Report], Awaitable[EvaluationTask | None]]
StartRender = Callable[[Report], None]


class Handlers:
    """One renderer's handling of events."""

    def __init__(
        self,
        *,
        reports: Reports,
        announce: Announce,
        overview_task: OverviewTask,
        start_render: StartRender,
        prepare_render: StartRender,
        metrics: Metrics,
        retention: timedelta,
        monotonic: Callable[[], float],
    ) -> None:
        self._reports = reports
        self._announce = announce
        self._overview_task = overview_task
        self._start_render = start_render
        self._prepare_render = prepare_render
        self._metrics = metrics
        self._retention = retention
        self._monotonic = monotonic
        self._released: dict[str, int] = {}  # overviews this process has asked for: asking again would be harmless

    async def on_events(self, report_id: str, events: Sequence[Event]) -> None:
        """Fold the events; publish what the state afterwards calls for, whether or not it changed."""
        folded: Folded | None = None
        before: Report | None = None
        began = self._monotonic()

        def decide(report: Report | None, parts: Mapping[str, Part]) -> Change | None:
            nonlocal folded, before
            before, folded = report, fold(report, parts, events)
            return folded.change

        report = await self._reports.fold(report_id, touched(report_id, events), decide, self._retention)
        if folded is not None:
            self._count(before, folded)
        if report is not None:
            await self._publish(report, due(report))
            await self._correct(report, began)

    async def _correct(self, said: Report, began: float) -> None:
        """Whoever was stopped in the middle may have put an old word behind a newer one: the last word is the newest.

        Compaction would keep the old one for ever.
        """
        if self._monotonic() - began <= FRESH_SECONDS:
            return
        report = await self._reports.get(said.report_id)
        while report is not None and report.version != said.version:
            said = report
            await self._announce.status(due(said).status)
            report = await self._reports.get(said.report_id)

    async def _publish(self, report: Report, called_for: Due) -> None:
        if called_for.render:
            self._start_render(report)
        elif report.status is Status.EVALUATING and report.evaluated_at is None:
            self._prepare_render(report)
        await self._announce.status(called_for.status)
        if called_for.overview and self._released.get(report.report_id) != report.generation:
            task = await self._overview_task(report)
            if task is not None:
                await self._announce.overview(task)
            self._remember(report)

    def _remember(self, report: Report) -> None:
        self._released[report.report_id] = report.generation
        if len(self._released) > MOST_REMEMBERED:
            del self._released[next(iter(self._released))]

    def _count(self, before: Report | None, folded: Folded) -> None:
        for role, status, reason, parts in decided(before, folded):
            self._metrics.parts.labels(role, status, reason or NO_REASON).inc(parts)
        for why in folded.dropped:
            self._metrics.dropped.labels(why).inc()
        if folded.change is None or not folded.ended:
            return
        report = folded.change.report
        self._metrics.reports.labels(report.kind, report.status).inc()
        if report.completed_at is not None:
            seconds = (report.completed_at - report.accepted_at).total_seconds()
            self._metrics.report_seconds.labels(report.kind).observe(seconds)
        met = in_time(report)
        if met is not None:
            self._metrics.deadlines.labels(report.kind, "met" if met else "missed").inc()
