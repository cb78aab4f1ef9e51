"""The `uploads` collection: inline data too large for a Kafka record, in chunks, by the hash of its content."""

from datetime import datetime

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError

from shared.store.documents import EXPIRY, Document

CHUNK_BYTES = 8_000_000
DUPLICATE_KEY = 11000


class UploadCollection:
    """Uploads by sha256, insert only: the same content again changes nothing."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._uploads = database["uploads"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._uploads.create_indexes([IndexModel([("sha256", ASCENDING)]), EXPIRY])

    async def store(self, sha256: str, content: bytes, expires_at: datetime) -> None:
        """Store the content under its hash."""
        starts = range(0, len(content), CHUNK_BYTES)
        chunks = [
            {
                "_id": f"{sha256}/{number:06d}",
                "sha256": sha256,
                "of": len(starts),
                "body": content[start : start + CHUNK_BYTES],
                "expires_at": expires_at,
            }
            for number, start in enumerate(starts)
        ]
        for chunk in chunks:  # one document per message: together they may exceed the 48 MB of one
            try:
                await self._uploads.insert_many([chunk], ordered=False)
            except BulkWriteError as error:
                if any(item["code"] != DUPLICATE_KEY for item in error.details["writeErrors"]):
                    raise

    async def get(self, sha256: str) -> bytes | None:
        """The content, or None unless all of it is there."""
        chunks = [chunk async for chunk in self._uploads.find({"sha256": sha256}).sort("_id", ASCENDING)]
        if not chunks or len(chunks) != chunks[0]["of"]:
            return None
        return b"".join(chunk["body"] for chunk in chunks)
