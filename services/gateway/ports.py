"""What the gateway needs of the world, as its parts see it: the store's collections, and a way to publish requests."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from shared.evaluations import Part
from shared.messages import CancelRequested, RenderRequested, RetryRequested
from shared.state import Plan, Report
from shared.store.reports import Place
from shared.store.requests import StoredRequest
from shared.vocabulary import Kind, Status

Command = CancelRequested | RetryRequested | RenderRequested


class Reports(Protocol):
    """What the renderer knows."""

    async def get(self, report_id: str) -> Report | None:
        """The report, if there is one."""

    async def existing(self, report_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids have a report."""

    def newest(
        self, *, status: Status | None, kind: Kind | None, owner: str | None, limit: int, after: Place | None
    ) -> AsyncIterator[Report]:
        """Reports, newest first, below a place in the list; None leaves a condition out."""
        ...


class Requests(Protocol):
    """What the gateway has accepted."""

    async def insert(self, request: StoredRequest, due_at: datetime, expires_at: datetime) -> StoredRequest:
        """Store a request; the one that holds is the first one under its id."""

    async def get(self, report_id: str) -> StoredRequest | None:
        """The request of a report."""

    def newest_unsettled(
        self, *, kind: Kind | None, owner: str | None, limit: int, after: Place | None
    ) -> AsyncIterator[StoredRequest]:
        """Requests that the renderer is not known to have, newest first, below a place in the list."""
        ...

    def unsettled(self, until: datetime, limit: int) -> AsyncIterator[StoredRequest]:
        """Those of them that are due at `until` or before."""
        ...

    async def postpone(self, report_id: str, due_at: datetime) -> None:
        """Set when a request is due next."""

    async def settle(self, report_ids: Sequence[str]) -> None:
        """Note that the renderer has these reports."""


class Parts(Protocol):
    """The parts of reports."""

    def of_report(self, report_id: str, after: int = -1, limit: int = 0) -> AsyncIterator[Part]:
        """The parts of a report in the order of their index, above `after`."""
        ...

    def as_of(self, report_id: str, generation: int) -> AsyncIterator[Part]:
        """The parts of a report as they stood when a generation had ended."""
        ...


class Plans(Protocol):
    """What was decided about requests."""

    async def get(self, report_id: str) -> Plan | None:
        """The plan of a report."""


class Uploads(Protocol):
    """Where inline data goes that is too large for a record."""

    async def store(self, sha256: str, content: bytes, expires_at: datetime) -> None:
        """Store content under its hash."""


class Workbooks(Protocol):
    """The workbooks' files."""

    def read(self, file_id: str) -> AsyncIterator[bytes]:
        """A file, chunk by chunk."""
        ...


class Publisher(Protocol):
    """The way to the orchestrator."""

    async def publish(self, report_id: str, *messages: Command | str) -> bool:
        """Publish in this order, a report's request as the record it was stored as; False: not confirmed in time."""
        ...
