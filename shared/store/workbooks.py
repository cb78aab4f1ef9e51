"""The workbook files in GridFS."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from bson import ObjectId
from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorDatabase, AsyncIOMotorGridFSBucket

from shared.store.documents import Document


class WorkbookFiles:
    """Workbooks by a new id each; the report's state says which one counts."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._files = AsyncIOMotorGridFSBucket(database, "workbooks")

    async def store(self, path: Path, name: str, expires_at: datetime) -> str:
        """Store a file; return its id."""
        with path.open("rb") as source:
            file_id = await self._files.upload_from_stream(name, source, metadata={"expires_at": expires_at})
        return str(file_id)

    async def read(self, file_id: str) -> AsyncIterator[bytes]:
        """The file, chunk by chunk."""
        stream = await self._files.open_download_stream(ObjectId(file_id))
        while chunk := await stream.readchunk():
            yield chunk

    async def expire(self, now: datetime) -> int:
        """Delete the files, chunks included, whose time is up; return how many."""
        count = 0
        async for file in self._files.find({"metadata.expires_at": {"$lt": now}}):
            try:
                await self._files.delete(file._id)  # noqa: SLF001  # the driver's name for a file's id
            except NoFile:
                continue  # another renderer was faster
            count += 1
        return count
