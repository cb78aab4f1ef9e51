"""Small working stand-ins for the store's collections and the sender, in memory."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from aiokafka.errors import KafkaConnectionError
from pymongo.errors import ServerSelectionTimeoutError

from shared.chassis.sending import Outgoing
from shared.evaluations import Part
from shared.state import Claim, Report
from shared.store.ledger import StoredOutcome
from shared.store.reports import Place
from shared.store.requests import StoredRequest
from shared.vocabulary import Kind, Status
from tests.builders import NOON

Row = TypeVar("Row", Report, StoredRequest)


class FakeClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeReports:
    """Reports by id; `away` as if the database were."""

    def __init__(self) -> None:
        self.stored: dict[str, Report] = {}
        self.away = False

    def put(self, report: Report) -> None:
        self.stored[report.report_id] = report

    async def get(self, report_id: str) -> Report | None:
        if self.away:
            raise ServerSelectionTimeoutError("mongodb://user:secret@somewhere: timed out")
        return self.stored.get(report_id)

    async def existing(self, report_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(report_ids) & self.stored.keys()

    async def newest(
        self, *, status: Status | None, kind: Kind | None, owner: str | None, limit: int, after: Place | None
    ) -> AsyncIterator[Report]:
        found = [
            report
            for report in self.stored.values()
            if status in {None, report.status} and kind in {None, report.kind} and owner in {None, report.owner}
        ]
        for report in _page(found, limit, after):
            yield report


class FakeRequests:
    """Requests by id, first one wins."""

    def __init__(self) -> None:
        self.stored: dict[str, StoredRequest] = {}
        self.due: dict[str, datetime] = {}

    async def insert(self, request: StoredRequest, due_at: datetime, expires_at: datetime) -> StoredRequest:
        assert request.accepted_at < due_at < expires_at
        if request.report_id not in self.stored:
            self.stored[request.report_id] = request
            self.due[request.report_id] = due_at
        return self.stored[request.report_id]

    async def get(self, report_id: str) -> StoredRequest | None:
        return self.stored.get(report_id)

    async def newest_unsettled(
        self, *, kind: Kind | None, owner: str | None, limit: int, after: Place | None
    ) -> AsyncIterator[StoredRequest]:
        found = [
            request
            for request in self.stored.values()
            if request.report_id in self.due and kind in {None, request.kind} and owner in {None, request.owner}
        ]
        for request in _page(found, limit, after):
            yield request

    async def unsettled(self, until: datetime, limit: int) -> AsyncIterator[StoredRequest]:
        due = sorted((due_at, report_id) for report_id, due_at in self.due.items() if due_at <= until)
        for _, report_id in due[:limit]:
            yield self.stored[report_id]

    async def postpone(self, report_id: str, due_at: datetime) -> None:
        self.due[report_id] = due_at

    async def settle(self, report_ids: Sequence[str]) -> None:
        for report_id in report_ids:
            self.due.pop(report_id, None)


class FakeBooks:
    """The ledger's collections; `away` as if the database were, `writes` counts the round trips that wrote."""

    def __init__(self) -> None:
        self.held: dict[str, Claim] = {}
        self.settled: dict[str, StoredOutcome] = {}
        self.away = False
        self.writes = 0

    async def claim(self, claims: Mapping[Claim, datetime]) -> frozenset[str]:
        self._write()
        taken = set()
        for claim in claims:
            if claim.key in self.held:
                taken.add(claim.key)
            else:
                self.held[claim.key] = claim
        return frozenset(taken)

    async def claims(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        return {key: self.held[key] for key in keys if key in self.held}

    async def take_over(self, lapsed: Claim, claim: Claim) -> bool:
        self._write()
        if self.held.get(lapsed.key) != lapsed:
            return False
        self.held[claim.key] = claim
        return True

    async def renew(self, claims: Sequence[Claim], until: datetime) -> None:
        self._write()
        for claim in claims:
            if self._is_its(claim):
                self.held[claim.key] = self.held[claim.key]._replace(until=until)

    async def release(self, claims: Sequence[Claim]) -> None:
        self._write()
        for claim in claims:
            if self._is_its(claim):
                del self.held[claim.key]

    async def outcomes(self, keys: Sequence[str]) -> Mapping[str, StoredOutcome]:
        return {key: self.settled[key] for key in keys if key in self.settled}

    async def settle(self, outcomes: Mapping[StoredOutcome, datetime]) -> frozenset[str]:
        self._write()
        had_one = {outcome.key for outcome in outcomes if outcome.key in self.settled}
        for outcome in outcomes:
            if outcome.key in self.settled and outcome != self.settled[outcome.key]:
                had_one.add(outcome.key)
            self.settled.setdefault(outcome.key, outcome)
        return frozenset(had_one)

    def _is_its(self, claim: Claim) -> bool:
        return claim.key in self.held and self.held[claim.key].owner == claim.owner

    def _write(self) -> None:
        if self.away:
            raise ServerSelectionTimeoutError("timed out")
        self.writes += 1


class FakeParts:
    """Parts in the order they were put."""

    def __init__(self) -> None:
        self.stored: list[Part] = []

    def put(self, parts: Iterable[Part]) -> None:
        self.stored += parts

    async def of_report(self, report_id: str, after: int = -1, limit: int = 0) -> AsyncIterator[Part]:
        found = sorted(
            (part for part in self.stored if part.report_id == report_id and part.index > after),
            key=lambda part: part.index,
        )
        for part in found[: limit or None]:
            yield part

    async def as_of(self, report_id: str, generation: int) -> AsyncIterator[Part]:
        """As if they were all of this generation: what earlier ones were, the real collection knows."""
        async for part in self.of_report(report_id):
            assert part.generation <= generation
            yield part


class FakeUploads:
    """Content by hash."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    async def store(self, sha256: str, content: bytes, expires_at: datetime) -> None:
        assert expires_at > NOON
        self.stored.setdefault(sha256, content)

    async def get(self, sha256: str) -> bytes | None:
        return self.stored.get(sha256)


class FakeWorkbooks:
    """Files by id, read in small chunks."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        content = self.stored[file_id]
        for start in range(0, len(content), 10):
            yield content[start : start + 10]


class FakeSender:
    """Remembers what was sent; `away` as if the broker were."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.away = False

    async def send(self, *outgoing: Outgoing) -> None:
        if self.away:
            raise KafkaConnectionError("no broker")
        self.sent += outgoing


def _page(rows: list[Row], limit: int, after: Place | None) -> list[Row]:
    """Newest first, below a place in the list."""
    places = {Place(row.accepted_at, row.report_id): row for row in rows}
    return [places[place] for place in sorted(places, reverse=True) if after is None or place < after][:limit]
