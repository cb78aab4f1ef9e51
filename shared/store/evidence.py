"""The `evidence` collection: the frozen runs and reviews, in chunks, exactly as the data sheet lists them."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from shared.evaluations import FrozenRow
from shared.store.documents import EXPIRY, Document

CHUNK_ROWS = 500
WRITE_BYTES = 8_000_000  # of JSON in memory before it is written, however large a piece is
CHUNK_BYTES = 4_000_000  # a document holds 16 MiB; a row is below that, as a request or a source document is


class PieceRows(NamedTuple):
    """The rows of a piece, and its index."""

    number: int
    rows: Sequence[FrozenRow]


_ROWS: TypeAdapter[list[FrozenRow]] = TypeAdapter(list[FrozenRow])


class EvidenceCollection:
    """Rows by the token of their plan, in order, insert only."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._evidence = database["evidence"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._evidence.create_indexes([IndexModel([("token", ASCENDING)]), EXPIRY])

    async def insert(self, token: str, pieces: Sequence[PieceRows], expires_at: datetime) -> None:
        """Store the rows of these pieces, which follow those of every call before."""
        waiting: list[Document] = []
        size = 0
        for number, body in enumerate(_chunks(row for piece in pieces for row in piece.rows)):
            key = f"{token}/{pieces[0].number:08d}/{number:06d}"
            waiting.append({"_id": key, "token": token, "body": body, "expires_at": expires_at})
            size += len(body)
            if size > WRITE_BYTES:
                await self._evidence.insert_many(waiting)
                waiting, size = [], 0
        if waiting:
            await self._evidence.insert_many(waiting)

    async def of_plan(self, token: str) -> AsyncIterator[FrozenRow]:
        """All rows of a plan, pieces in order of their index, rows in theirs; one reply in memory, 16 MiB at most."""
        async for document in self._evidence.find({"token": token}).sort("_id", ASCENDING):
            for row in _ROWS.validate_json(document["body"]):
                yield row


def _chunks(rows: Iterable[FrozenRow]) -> Iterator[str]:
    """The rows as JSON arrays of bounded length and size."""
    chunk: list[str] = []
    size = 0
    for row in rows:
        text = row.model_dump_json()
        if chunk and (len(chunk) == CHUNK_ROWS or size + len(text) > CHUNK_BYTES):
            yield f"[{','.join(chunk)}]"
            chunk, size = [], 0
        chunk.append(text)
        size += len(text)
    if chunk:
        yield f"[{','.join(chunk)}]"
