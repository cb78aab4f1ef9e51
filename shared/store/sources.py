"""The source database: where agents, runs and reviews are read from, and where `assay load` puts them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import JsonValue, ValidationError
from pymongo import ASCENDING, DESCENDING, IndexModel, ReplaceOne

from shared.messages import AgentInput, ReviewInput, RunInput
from shared.store.documents import Document

Row = TypeVar("Row", AgentInput, RunInput, ReviewInput)


class Window(NamedTuple):
    """[start, end): which rows of the source count by their time; rows without a time always do."""

    start: datetime | None
    end: datetime | None


class UnreadableRowError(Exception):
    """A document of the source lacks what every row must have; the message names it."""


class SourceCollections:
    """`agents`, `agent_runs` and `reviews`."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._agents = database["agents"]
        self._runs = database["agent_runs"]
        self._reviews = database["reviews"]

    async def prepare(self) -> None:
        """Create the indexes: each gives the rows in the order they are read in, so that none is sorted in memory."""
        await self._agents.create_indexes([IndexModel([("environment_id", ASCENDING), ("agent_id", ASCENDING)])])
        runs = [("environment_id", ASCENDING), ("agent_id", ASCENDING), *_NEWEST_RUNS]
        await self._runs.create_indexes([IndexModel(runs)])
        reviews = [("app_id", ASCENDING), ("language", ASCENDING), *_NEWEST_REVIEWS]
        await self._reviews.create_indexes([IndexModel(reviews)])

    async def agents(self, environment_id: str, agent_ids: Sequence[str] | None) -> AsyncIterator[AgentInput]:
        """The agents of an environment without their runs, by id; `agent_ids` None means all."""
        query: Document = {"environment_id": _either(environment_id)}
        if agent_ids is not None:
            query["agent_id"] = {"$in": [form for agent_id in agent_ids for form in _forms(agent_id)]}
        async for document in self._agents.find(query, _AGENT_FIELDS).sort("agent_id", ASCENDING):
            yield _checked(AgentInput, document, "agents")

    async def last_runs(
        self, environment_id: str, agent_id: str, window: Window, model: str | None, limit: int
    ) -> AsyncIterator[RunInput]:
        """An agent's last runs within the window, newest first."""
        query = _runs_query(environment_id, agent_id, window, model)
        async for document in (
            self._runs.find(query, _ROW_FIELDS, batch_size=_BATCH_ROWS).sort(_NEWEST_RUNS).limit(limit)
        ):
            yield _checked(RunInput, document, "agent_runs")

    async def count_runs(self, environment_id: str, agent_id: str, window: Window, model: str | None) -> int:
        """How many runs an agent has within the window."""
        return await self._runs.count_documents(_runs_query(environment_id, agent_id, window, model))

    async def languages(self, app_id: str, window: Window) -> list[str]:
        """The languages an app has reviews in within the window."""
        query: Document = {"app_id": _either(app_id), **_within("created_at", window)}
        return sorted(map(str, await self._reviews.distinct("language", query)))

    async def reviews(self, app_id: str, language: str, window: Window) -> AsyncIterator[ReviewInput]:
        """An app's reviews in one language within the window, newest first."""
        query: Document = {"app_id": _either(app_id), "language": language, **_within("created_at", window)}
        async for document in self._reviews.find(query, _ROW_FIELDS, batch_size=_BATCH_ROWS).sort(_NEWEST_REVIEWS):
            yield _checked(ReviewInput, document, "reviews")

    async def load(
        self, collection: str, rows: Sequence[Mapping[str, JsonValue | datetime]], key: Sequence[str]
    ) -> None:
        """Put rows into `agents`, `agent_runs` or `reviews`; a row with the same key fields is replaced."""
        target = {"agents": self._agents, "agent_runs": self._runs, "reviews": self._reviews}[collection]
        documents: list[Document] = [{**row, "_id": "/".join(str(row[name]) for name in key)} for row in rows]
        await target.bulk_write(
            [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents], ordered=False
        )


_NEWEST_RUNS = [("started_at", DESCENDING), ("_id", DESCENDING)]
_NEWEST_REVIEWS = [("created_at", DESCENDING), ("_id", DESCENDING)]
_BATCH_ROWS = 500  # in memory as documents, of each of many reads at once; a reply may else have 16 MiB
_AGENT_FIELDS = {"agent_id": 1, "name": 1, "description": 1}
_ROW_FIELDS = {"environment_id": 0, "app_id": 0}  # all others are evidence, also those we do not know


def _forms(key: str) -> list[str | int]:
    """An id as text, and as the number others may have stored it as."""
    return [key, int(key)] if key.isascii() and key.isdigit() and len(key) <= _LONGEST_NUMBER else [key]


_LONGEST_NUMBER = 18  # digits that fit 64 bits


def _either(key: str) -> Document:
    return {"$in": _forms(key)}


def _runs_query(environment_id: str, agent_id: str, window: Window, model: str | None) -> Document:
    query: Document = {
        "environment_id": _either(environment_id),
        "agent_id": _either(agent_id),
        **_within("started_at", window),
    }
    return query if model is None else {**query, "model": model}


def _within(field: str, window: Window) -> Document:
    bounds: Document = {}
    if window.start is not None:
        bounds["$gte"] = window.start
    if window.end is not None:
        bounds["$lt"] = window.end
    return {"$or": [{field: bounds}, {field: None}]} if bounds else {}


def _checked(model: type[Row], document: Document, collection: str) -> Row:
    fields = {name: value for name, value in document.items() if name != "_id"}
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UnreadableRowError(f"{collection} document {document['_id']!r}: {place}: {first['msg']}") from error
