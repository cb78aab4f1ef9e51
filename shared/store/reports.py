"""The `reports` collection: the state of every report, changed by one transaction per report and batch alone."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pydantic import JsonValue, TypeAdapter
from pymongo import ASCENDING, DESCENDING, IndexModel

from shared.evaluations import Part
from shared.state import Change, Report, Standing
from shared.store.documents import EXPIRY, Document
from shared.store.parts import PartCollection, Read
from shared.vocabulary import Kind, Status

_METADATA: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])
NEWEST_FIRST = [("accepted_at", DESCENDING), ("_id", DESCENDING)]
OPEN = [Status.ACCEPTED, Status.EVALUATING, Status.RENDERING]

Decide = Callable[[Report | None, Mapping[str, Part]], Change | None]


class Place(NamedTuple):
    """Where a report stands in the list, which is by time of acceptance and then by id."""

    accepted_at: datetime
    report_id: str


class ReportCollection:
    """Reports by report_id."""

    def __init__(
        self, client: AsyncIOMotorClient[Document], database: AsyncIOMotorDatabase[Document], parts: PartCollection
    ) -> None:
        self._client = client
        self._reports = database["reports"]
        self._parts = parts

    async def prepare(self) -> None:
        """Create the indexes."""
        newest = IndexModel(NEWEST_FIRST)
        due = IndexModel([("status", ASCENDING), ("deadline_at", ASCENDING)])
        wanted = IndexModel([("render_wanted", ASCENDING)], partialFilterExpression={"render_wanted": True})
        await self._reports.create_indexes([EXPIRY, wanted, newest, due])

    async def fold(
        self, report_id: str, part_ids: Sequence[str], decide: Decide, retention: timedelta
    ) -> Report | None:
        """Read the report and these parts, decide, write what changed; all in one transaction, repeated on conflict.

        Returns the report as it stands afterwards; None if there is none.
        """

        async def step(session: AsyncIOMotorClientSession) -> Report | None:
            found = await self._reports.find_one({"_id": report_id}, session=session)
            report = _report_of(found) if found else None
            read = await self._parts.read(part_ids, session)
            change = decide(report, read.parts)
            if change is None:
                return report
            expires_at = change.report.accepted_at + retention
            await self._write_parts(change, read, expires_at, session)
            document = (found or {}) | _report_document(change.report, expires_at)  # what a newer release knows stays
            await self._reports.replace_one({"_id": report_id}, document, upsert=True, session=session)
            return change.report

        async with await self._client.start_session() as session:
            return await session.with_transaction(step)

    async def _write_parts(
        self, change: Change, read: Read, expires_at: datetime, session: AsyncIOMotorClientSession
    ) -> None:
        report_id = change.report.report_id
        if change.reopen is not None:
            await self._parts.reopen(report_id, change.reopen, session)
        if change.parts:
            await self._parts.write(change.parts, read, expires_at, session)
        if change.sweep:
            await self._parts.sweep(report_id, change.sweep, expires_at, session)

    async def get(self, report_id: str) -> Report | None:
        """The report, if there is one."""
        document = await self._reports.find_one({"_id": report_id})
        return _report_of(document) if document else None

    async def standings(self, report_ids: Collection[str]) -> Mapping[str, Standing]:
        """How far these reports are; those that have not been folded yet are left out."""
        fields = {"generation": 1, "status": 1, "exhausted": 1}
        return {found["_id"]: _standing(found) async for found in self._reports.find(_any_of(report_ids), fields)}

    async def existing(self, report_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids have a report."""
        cursor = self._reports.find(_any_of(report_ids), {"_id": 1})
        return frozenset([document["_id"] async for document in cursor])

    async def newest(
        self,
        *,
        status: Status | None,
        kind: Kind | None,
        owner: str | None,
        limit: int,
        after: Place | None,
    ) -> AsyncIterator[Report]:
        """Reports, newest first, below the place `after`; None leaves a condition out."""
        given = {"status": status, "kind": kind, "owner": owner}
        query: Document = {name: value for name, value in given.items() if value is not None}
        cursor = self._reports.find(query | below(after)).sort(NEWEST_FIRST).limit(limit)
        async for document in cursor:
            yield _report_of(document)

    async def overdue(self, now: datetime) -> AsyncIterator[Report]:
        """Reports whose evaluation should have ended by now."""
        query = {"status": {"$in": [Status.ACCEPTED, Status.EVALUATING]}, "deadline_at": {"$lt": now}}
        async for document in self._reports.find(query):
            yield _report_of(document)

    async def rendering(self) -> AsyncIterator[Report]:
        """Reports that wait for their workbook."""
        for query in ({"status": Status.RENDERING}, {"render_wanted": True}):  # each has its index
            async for document in self._reports.find(query):
                yield _report_of(document)

    async def count_open(self) -> int:
        """How many reports are not final."""
        return await self._reports.count_documents({"status": {"$in": OPEN}})


def below(place: Place | None) -> Document:
    """The condition for what stands below a place in the list."""
    if place is None:
        return {}
    older = {"accepted_at": {"$lt": place.accepted_at}}
    return {"$or": [older, {"accepted_at": place.accepted_at, "_id": {"$lt": place.report_id}}]}


def _any_of(report_ids: Collection[str]) -> Document:
    return {"_id": {"$in": list(report_ids)}}


def _standing(found: Document) -> Standing:
    return Standing(found["generation"], Status(found["status"]), bool(found.get("exhausted")))


def _report_document(report: Report, expires_at: datetime) -> Document:
    """Native fields, but for the metadata, whose keys are the user's."""
    fields = report.model_dump(mode="python", exclude={"report_id", "metadata"})
    metadata = _METADATA.dump_json(dict(report.metadata)).decode()
    return {"_id": report.report_id, **fields, "metadata": metadata, "expires_at": expires_at}


def _report_of(document: Document) -> Report:
    metadata = _METADATA.validate_json(document["metadata"])
    return Report.model_validate({**document, "report_id": document["_id"], "metadata": metadata})
