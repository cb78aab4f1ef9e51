"""The `renders` collection: who is building which workbook, so that two renderers do not do the same work."""

from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError

from shared.store.documents import EXPIRY, Document


class RenderCollection:
    """Leases by report and generation. They save work; correctness does not rest on them."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._renders = database["renders"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._renders.create_indexes([EXPIRY])

    async def claim(self, key: str, owner: str, now: datetime, until: datetime, expires_at: datetime) -> bool:
        """Take the lease if nobody has it or its owner has been silent past its end; True if it is ours."""
        lease = {"owner": owner, "until": until, "expires_at": expires_at}
        try:
            await self._renders.insert_one({"_id": key, **lease})
        except DuplicateKeyError:
            taken = await self._renders.update_one({"_id": key, "until": {"$lt": now}}, {"$set": lease})
            return taken.modified_count == 1
        return True

    async def renew(self, key: str, owner: str, until: datetime) -> None:
        """Keep a lease that is ours."""
        await self._renders.update_one({"_id": key, "owner": owner}, {"$set": {"until": until}})

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back."""
        await self._renders.delete_one({"_id": key, "owner": owner})
