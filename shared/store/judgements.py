"""The `judgements` collection: what was judged, by the hash of all that the judgement depends on; insert only."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.store.documents import EXPIRY, Document


class JudgementCollection:
    """Judgements by the hash of their content, as JSON that the evaluators understand."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._judgements = database["judgements"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._judgements.create_indexes([EXPIRY])

    async def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The judgements of these keys, as far as there are any."""
        cursor = self._judgements.find({"_id": {"$in": list(keys)}}, {"body": 1})
        return {found["_id"]: found["body"] async for found in cursor}

    async def keep(self, key: str, body: str, expires_at: datetime) -> None:
        """Store a judgement until then; a key that has one keeps it."""
        with contextlib.suppress(DuplicateKeyError):
            await self._judgements.insert_one({"_id": key, "body": body, "expires_at": expires_at})
