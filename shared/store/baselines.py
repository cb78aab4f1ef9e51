"""The `baselines` collection: the parts of a report as frozen for the one that is compared with it."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from shared.evaluations import Part
from shared.store.documents import EXPIRY, Document

_PARTS: TypeAdapter[list[Part]] = TypeAdapter(list[Part])


class BaselineCollection:
    """Parts by the token of the plan that they are a baseline of, in order, insert only; many in a document."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._baselines = database["baselines"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._baselines.create_indexes([IndexModel([("token", ASCENDING)]), EXPIRY])

    async def insert(self, token: str, first: int, parts: Sequence[Part], expires_at: datetime) -> None:
        """Store parts, the `first` of which has this number; they must fit a document together."""
        body = _PARTS.dump_json(list(parts)).decode()
        document = {"_id": f"{token}/{first:08d}", "token": token, "body": body, "expires_at": expires_at}
        await self._baselines.insert_one(document)

    async def of_plan(self, token: str) -> AsyncIterator[Part]:
        """The parts of a plan's baseline."""
        async for document in self._baselines.find({"token": token}).sort("_id", ASCENDING):
            for part in _PARTS.validate_json(document["body"]):
                yield part
