"""The gateway's `requests` collection: what was asked over HTTP, so that POST is idempotent and loses nothing."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import AwareDatetime
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from shared.evaluations import Value
from shared.store.documents import EXPIRY, Document
from shared.store.reports import NEWEST_FIRST, Place, below
from shared.vocabulary import Kind


class StoredRequest(Value):
    """A request as accepted: `body` is the record as published, `content_sha256` the hash of the fields as sent."""

    report_id: str
    owner: str | None = None
    kind: str
    title: str
    content_sha256: str
    body: str
    accepted_at: AwareDatetime


class RequestCollection:
    """Requests by report_id, insert only, but for `due_at`: when a request is to be published again.

    It is there until the renderer is known to have the report, so what lacks it needs no further look.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._requests = database["requests"]

    async def prepare(self) -> None:
        """Create the indexes."""
        due = IndexModel([("due_at", ASCENDING)], sparse=True)
        await self._requests.create_indexes([EXPIRY, due])

    async def insert(self, request: StoredRequest, due_at: datetime, expires_at: datetime) -> StoredRequest:
        """Store the request; return the one that holds, which is the first one stored under its id."""
        fields = request.model_dump(exclude={"report_id"})
        document = {"_id": request.report_id, **fields, "due_at": due_at, "expires_at": expires_at}
        try:
            await self._requests.insert_one(document)
        except DuplicateKeyError:
            return await self.get(request.report_id) or request
        return request

    async def get(self, report_id: str) -> StoredRequest | None:
        """The request of a report, if it came over HTTP."""
        document = await self._requests.find_one({"_id": report_id})
        return _request(document) if document else None

    async def unsettled(self, until: datetime, limit: int) -> AsyncIterator[StoredRequest]:
        """Requests due at `until` or before, longest due first; the report may meanwhile exist."""
        query = {"due_at": {"$lte": until}}
        async for document in self._requests.find(query).sort("due_at", ASCENDING).limit(limit):
            yield _request(document)

    async def newest_unsettled(
        self, *, kind: Kind | None, owner: str | None, limit: int, after: Place | None
    ) -> AsyncIterator[StoredRequest]:
        """Unsettled requests, newest first, below the place `after`; None leaves a condition out."""
        given = {"kind": kind, "owner": owner}
        query: Document = {name: value for name, value in given.items() if value is not None}
        query |= {"due_at": {"$exists": True}, **below(after)}
        async for document in self._requests.find(query).sort(NEWEST_FIRST).limit(limit):
            yield _request(document)

    async def postpone(self, report_id: str, due_at: datetime) -> None:
        """Set when the request is due next."""
        await self._requests.update_one({"_id": report_id}, {"$set": {"due_at": due_at}})

    async def settle(self, report_ids: Sequence[str]) -> None:
        """Note that the renderer has these reports."""
        await self._requests.update_many({"_id": {"$in": list(report_ids)}}, {"$unset": {"due_at": ""}})


def _request(document: Document) -> StoredRequest:
    return StoredRequest.model_validate({"report_id": document["_id"], **document})
