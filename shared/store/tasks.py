"""The `tasks` collection: every task as planned; a redelivered request, a retry and the overview use the same one."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ASCENDING

from shared.messages import EvaluationTask
from shared.store.documents import EXPIRY, Document
from shared.vocabulary import Lane


class StoredTask(NamedTuple):
    """A task as its record will be: the JSON, the lane and partition it travels in, and the index of its part."""

    number: int
    lane: Lane
    partition: int
    body: str


class TaskCollection:
    """Tasks by the token of their plan and the index of their part, insert only."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._tasks = database["tasks"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._tasks.create_indexes([EXPIRY])

    async def insert(self, token: str, tasks: Sequence[StoredTask], expires_at: datetime) -> None:
        """Store tasks."""
        if tasks:
            await self._tasks.insert_many(
                [{"_id": _key(token, task.number), **task._asdict(), "expires_at": expires_at} for task in tasks]
            )

    async def get(self, token: str, index: int) -> EvaluationTask | None:
        """The task of one part."""
        document = await self._tasks.find_one({"_id": _key(token, index)})
        return EvaluationTask.model_validate_json(document["body"]) if document else None

    async def of_plan(self, token: str, start: int, end: int) -> AsyncIterator[StoredTask]:
        """The tasks of a plan for the parts [start, end), in order; a batch in memory at a time."""
        bounds = {"$gte": _key(token, start), "$lt": _key(token, end)}
        async for document in self._tasks.find({"_id": bounds}).sort("_id", ASCENDING):
            yield StoredTask(document["number"], Lane(document["lane"]), document["partition"], document["body"])


def _key(token: str, index: int) -> str:
    return f"{token}/{index:08d}"
