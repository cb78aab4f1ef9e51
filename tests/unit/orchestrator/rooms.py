"""An orchestrator connected to fakes, and what it published."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from prometheus_client import CollectorRegistry

from services.orchestrator.handlers import Handlers
from services.orchestrator.pieces import Source
from services.orchestrator.sources import source_of
from shared.messages import (
    EvaluationTask,
    PartFailed,
    ReportAccepted,
    ReportCancelled,
    ReportPlanned,
    ReportRejected,
    ReportRequested,
)
from shared.pricing import packaged_prices
from shared.settings import ReportSettings
from shared.state import Plan
from shared.store.sources import Window
from shared.store.tasks import StoredTask
from shared.telemetry import Metrics
from shared.vocabulary import Lane
from tests.builders import REPORT_ID, a_report, a_request
from tests.fakes import FakeClock
from tests.stores import Stored, a_store

PARTITIONS = 24

PlanningEvent = ReportAccepted | ReportRejected | ReportPlanned | PartFailed | ReportCancelled


class BrokerAwayError(ConnectionError):
    """What a broker that is away raises."""


class FakeAnnounce:
    """Remembers what was published; breaks before the message numbered `breaks_at`."""

    def __init__(self) -> None:
        self.events: list[PlanningEvent] = []
        self.published: list[tuple[Lane, EvaluationTask]] = []
        self.batches: list[int] = []
        self.breaks_at: int | None = None

    async def event(self, event: PlanningEvent) -> None:
        self._break()
        self.events.append(event)

    async def tasks(self, tasks: Sequence[StoredTask]) -> None:
        self._break()
        if tasks:
            self.batches.append(len(tasks))
        self.published += [(task.lane, EvaluationTask.model_validate_json(task.body)) for task in tasks]

    def _break(self) -> None:
        if self.breaks_at == 0:
            self.breaks_at = None
            raise BrokerAwayError
        if self.breaks_at is not None:
            self.breaks_at -= 1


class AnOrchestrator:
    """One orchestrator and all that it is connected to; sources are read as in production."""

    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.stored: Stored = a_store()
        self.announce = FakeAnnounce()
        self.source: Source | None = None
        tokens = count(1)

        async def find_source(request: ReportRequested, accepted_at: datetime) -> Source:
            window = Window(request.period.from_, request.period.to or accepted_at)
            store = self.stored.store
            return self.source or await source_of(request, store.uploads, store.sources, window)

        self.handlers = Handlers(
            store=self.stored.store,
            announce=self.announce,
            source_of=find_source,
            settings=ReportSettings(_env_file=None, **settings),
            partitions=PARTITIONS,
            clock=self.clock,
            new_token=lambda: f"token-{next(tokens)}",
            metrics=Metrics(CollectorRegistry(), "orchestrator", "0"),
            prices=packaged_prices(),
        )

    async def plans(self, request: ReportRequested) -> Plan:
        """Give it a request that it must be able to serve."""
        await self.handlers.on_report(request)
        assert self.rejections == []
        return self.stored.plans.stored[request.report_id]

    async def refuses(self, **fields: Any) -> str:
        """Give it a request that it must reject; nothing else may have come of it. Returns the reason."""
        await self.handlers.on_report(a_request(**fields))
        assert self.said == ["ReportAccepted", "ReportRejected"]
        assert self.stored.plans.stored == {}
        assert self.tasks == []
        (reason,) = self.rejections
        return reason

    def folds(self, **changes: Any) -> None:
        """The renderer has stored what it was told."""
        accepted = next(event for event in self.announce.events if isinstance(event, ReportAccepted))
        known = {"content_sha256": accepted.content_sha256, "accepted_at": accepted.accepted_at}
        self.stored.reports.put(a_report(**{"report_id": REPORT_ID, **known, **changes}))

    @property
    def said(self) -> list[str]:
        """The types of the events, in order."""
        return [event.type for event in self.announce.events]

    @property
    def rejections(self) -> list[str]:
        """The reasons given."""
        return [event.reason for event in self.announce.events if isinstance(event, ReportRejected)]

    @property
    def accepted(self) -> list[ReportAccepted]:
        """Each time a report was said to be accepted."""
        return [event for event in self.announce.events if isinstance(event, ReportAccepted)]

    @property
    def failures(self) -> list[PartFailed]:
        """The parts that were said to have failed."""
        return [event for event in self.announce.events if isinstance(event, PartFailed)]

    @property
    def tasks(self) -> list[EvaluationTask]:
        """The tasks that were published, in order."""
        return [task for _, task in self.announce.published]

    @property
    def lanes(self) -> list[Lane]:
        """The lane in which each of them travelled."""
        return [lane for lane, _ in self.announce.published]
