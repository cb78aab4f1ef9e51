"""The `tasks` collection: every task as planned; a redelivered request, a retry and the overview use the same one."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel

from shared.messages import EvaluationTask
from shared.store.documents import EXPIRY, Document
from shared.vocabulary import Lane

CHUNK_TASKS = 100
CHUNK_BYTES = 4_000_000  # a document holds 16 MiB, a task less than 1 MB


class StoredTask(NamedTuple):
    """A task as its record will be: the JSON, the lane and partition it travels in, and the index of its part."""

    number: int
    lane: Lane
    partition: int
    body: str


class TaskCollection:
    """Tasks by the token of their plan and the index of their part, insert only; many in a document."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._tasks = database["tasks"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._tasks.create_indexes([IndexModel([("token", ASCENDING), ("first", ASCENDING)]), EXPIRY])

    async def insert(self, token: str, tasks: Sequence[StoredTask], expires_at: datetime) -> None:
        """Store tasks, in the order of their parts; those of a later call belong to later parts."""
        documents = [
            {
                "_id": f"{token}/{chunk[0].number:08d}",
                "token": token,
                "first": chunk[0].number,
                "tasks": [task._asdict() for task in chunk],
                "expires_at": expires_at,
            }
            for chunk in _chunks(tasks)
        ]
        if documents:
            await self._tasks.insert_many(documents)

    async def get(self, token: str, index: int) -> EvaluationTask | None:
        """The task of one part."""
        async for task in self.of_plan(token, index, index + 1):
            return EvaluationTask.model_validate_json(task.body)
        return None

    async def of_plan(self, token: str, start: int, end: int) -> AsyncIterator[StoredTask]:
        """The tasks of a plan for the parts [start, end), in order; one reply in memory, 16 MiB at most."""
        up_to_start = {"token": token, "first": {"$lte": start}}
        found = await self._tasks.find_one(up_to_start, {"first": 1}, sort=[("first", DESCENDING)])
        bounds = {"$gte": found["first"] if found else start, "$lt": end}
        async for document in self._tasks.find({"token": token, "first": bounds}).sort("first", ASCENDING):
            for task in document["tasks"]:
                if start <= task["number"] < end:
                    yield StoredTask(task["number"], Lane(task["lane"]), task["partition"], task["body"])


def _chunks(tasks: Sequence[StoredTask]) -> list[list[StoredTask]]:
    """The tasks in lists of bounded length and size."""
    chunks: list[list[StoredTask]] = []
    size = 0
    for task in tasks:
        if not chunks or len(chunks[-1]) == CHUNK_TASKS or size + len(task.body) > CHUNK_BYTES:
            chunks.append([])
            size = 0
        chunks[-1].append(task)
        size += len(task.body)
    return chunks
