"""The `parts` collection: one document per part, planned by the orchestrator, changed by the fold alone."""

from collections.abc import AsyncIterator
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel

from shared.evaluations import Part
from shared.store.documents import EXPIRY, Document


class PartCollection:
    """Parts by part_id; read here, written by `plans` and `reports`."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._parts = database["parts"]

    async def prepare(self) -> None:
        """Create the indexes."""
        by_report = IndexModel([("report_id", ASCENDING), ("index", ASCENDING)])
        await self._parts.create_indexes([by_report, EXPIRY])

    async def of_report(self, report_id: str, after: int = -1, limit: int = 0) -> AsyncIterator[Part]:
        """The parts of a report in the order of their index, above `after`; `limit` 0 means all."""
        query = {"report_id": report_id, "index": {"$gt": after}}
        async for document in self._parts.find(query).sort("index", ASCENDING).limit(limit):
            yield part_of(document)


def part_document(part: Part, expires_at: datetime) -> Document:
    """The document of a part."""
    return {"_id": part.part_id, **part.model_dump(mode="python", exclude={"part_id"}), "expires_at": expires_at}


def part_of(document: Document) -> Part:
    """The part in a document."""
    return Part.model_validate({"part_id": document["_id"], **document})
