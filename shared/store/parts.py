"""The collections `parts`, as planned by the orchestrator, and `results`, what became of each, written by the fold.

A part is read as its plan with its result laid over it. Both are inserted: as measured in docs/decisions/0006, an
insert costs a fraction of an update, and a part has one result in most reports' lives. What a retry replaces stays in
`earlier_results`, insert only (docs/decisions/0024).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import ASCENDING, IndexModel, UpdateOne

from shared.evaluations import Part
from shared.state import EarlierResult, Sweep
from shared.store.documents import EXPIRY, Document
from shared.vocabulary import PartStatus, Reason, Role

READ_AT_ONCE = 200
_OF_RESULTS = set(
    {
        "generation",
        "status",
        "score",
        "passed",
        "evaluation",
        "reason",
        "detail",
        "retryable",
        "attempts",
        "seconds",
        "usage",
        "trials",
        "saved",
        "judge",
        "first_failed_at",
        "finished_at",
        "retry_at",
    }
)


class Read(NamedTuple):
    """Parts by part_id as a fold has read them, and which of them have a result already."""

    parts: Mapping[str, Part]
    with_result: frozenset[str]


class PartCollection:
    """Parts by part_id. The writing methods belong to the transaction of a fold."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._parts = database["parts"]
        self._results = database["results"]
        self._earlier = database["earlier_results"]

    async def prepare(self) -> None:
        """Create the indexes."""
        for collection in (self._parts, self._results, self._earlier):
            await collection.create_indexes([IndexModel([("report_id", ASCENDING), ("index", ASCENDING)]), EXPIRY])

    async def of_report(self, report_id: str, after: int = -1, limit: int = 0) -> AsyncIterator[Part]:
        """The parts of a report in the order of their index, above `after`; `limit` 0 means all."""
        query = {"report_id": report_id, "index": {"$gt": after}}
        planned: list[Document] = []
        async for document in self._parts.find(query).sort("index", ASCENDING).limit(limit):
            planned.append(document)
            if len(planned) == READ_AT_ONCE:
                for part in await self._with_results(report_id, planned):
                    yield part
                planned = []
        for part in await self._with_results(report_id, planned):
            yield part

    async def as_of(self, report_id: str, generation: int) -> AsyncIterator[Part]:
        """The parts of a report in the order of their index, as they stood when a generation had ended."""
        run: list[Part] = []
        async for part in self.of_report(report_id):
            run.append(part)
            if len(run) == READ_AT_ONCE:
                for known in await self._taken_back(report_id, run, generation):
                    yield known
                run = []
        for known in await self._taken_back(report_id, run, generation):
            yield known

    async def earlier(self, report_id: str) -> AsyncIterator[EarlierResult]:
        """All that retries of a report have replaced, part by part, oldest first."""
        shown = {"part_id": 1, "generation": 1, "status": 1, "reason": 1}
        order = [("index", ASCENDING), ("generation", ASCENDING)]
        async for found in self._earlier.find({"report_id": report_id}, shown).sort(order):
            reason = Reason(found["reason"]) if found["reason"] else None
            yield EarlierResult(found["part_id"], found["generation"], PartStatus(found["status"]), reason)

    async def read(self, part_ids: Sequence[str], session: AsyncIOMotorClientSession) -> Read:
        """These parts, as far as they are planned."""
        query = {"_id": {"$in": list(part_ids)}}
        results = {found["_id"]: found async for found in self._results.find(query, session=session)}
        planned = [found async for found in self._parts.find(query, session=session)]
        parts = {found["_id"]: _part(found, results.get(found["_id"])) for found in planned}
        return Read(parts, frozenset(results))

    async def insert(self, parts: Sequence[Part], expires_at: datetime, session: AsyncIOMotorClientSession) -> None:
        """Store the parts of a plan."""
        await self._parts.insert_many([_planned(part, expires_at) for part in parts], session=session)

    async def write(
        self, parts: Sequence[Part], read: Read, expires_at: datetime, session: AsyncIOMotorClientSession
    ) -> None:
        """Store the results of these parts, which were read before; fields that another release knows stay.

        What a later generation replaces is kept as an earlier result.
        """
        fresh = [_result(part, expires_at) for part in parts if part.part_id not in read.with_result]
        again = [_result(part, expires_at) for part in parts if part.part_id in read.with_result]
        replaced = [read.parts[result["_id"]] for result in again]
        opened = {part.part_id for part in parts if part.generation > read.parts[part.part_id].generation}
        await self._keep([_result(part, expires_at) for part in replaced if part.part_id in opened], session)
        if fresh:
            await self._results.insert_many(fresh, ordered=False, session=session)
        if again:
            await self._results.bulk_write(
                [UpdateOne({"_id": result["_id"]}, {"$set": result}) for result in again],
                ordered=False,
                session=session,
            )

    async def reopen(self, report_id: str, generation: int, session: AsyncIOMotorClientSession) -> None:
        """Open every errored or cancelled piece for a generation; its error stays until there is a new result."""
        failed = {
            "report_id": report_id,
            "role": {"$ne": Role.OVERVIEW},
            "status": {"$in": [PartStatus.ERRORED, PartStatus.CANCELLED]},
        }
        await self._keep([found async for found in self._results.find(failed, session=session)], session)
        opened = {"status": PartStatus.PENDING, "generation": generation}
        await self._results.update_many(failed, {"$set": opened}, session=session)

    async def sweep(
        self, report_id: str, sweep: Sweep, expires_at: datetime, session: AsyncIOMotorClientSession
    ) -> None:
        """Close every part that is open: those that wait or were opened again, and those without any result."""
        await self._results.update_many(
            {"report_id": report_id, "status": {"$in": [PartStatus.PENDING, PartStatus.DELAYED]}},
            {"$set": _swept(sweep)},
            session=session,
        )
        known = self._results.find({"report_id": report_id}, {"_id": 1}, session=session)
        has_one = {document["_id"] async for document in known}
        planned = self._parts.find({"report_id": report_id}, {"role": 1, "index": 1, "generation": 1}, session=session)
        fresh = [
            {**document, "report_id": report_id, **_swept(sweep), "expires_at": expires_at}
            async for document in planned
            if document["_id"] not in has_one
        ]
        if fresh:
            await self._results.insert_many(fresh, ordered=False, session=session)

    async def _keep(self, results: Sequence[Document], session: AsyncIOMotorClientSession) -> None:
        """Keep results that are about to be replaced; what is kept already stays as it is."""
        kept = [{**found, "_id": f"{found['_id']}#{found['generation']}", "part_id": found["_id"]} for found in results]
        if kept:
            await self._earlier.bulk_write(
                [UpdateOne({"_id": found["_id"]}, {"$setOnInsert": found}, upsert=True) for found in kept],
                ordered=False,
                session=session,
            )

    async def _taken_back(self, report_id: str, parts: Sequence[Part], generation: int) -> list[Part]:
        """Each part as it stood in a generation: asked for after the parts were read, what they replaced is there."""
        later = [part.part_id for part in parts if part.generation > generation]
        if not later:
            return list(parts)
        query = {"report_id": report_id, "part_id": {"$in": later}, "generation": {"$lte": generation}}
        found = self._earlier.find(query).sort("generation", ASCENDING)  # of several the last one counts
        then = {document["part_id"]: document async for document in found}
        return [_laid_over(part, then.get(part.part_id)) for part in parts]

    async def _with_results(self, report_id: str, planned: Sequence[Document]) -> list[Part]:
        """A run of a report's planned parts with their results, which a range finds sooner than a list of ids."""
        if not planned:
            return []
        run = {"$gte": planned[0]["index"], "$lte": planned[-1]["index"]}
        found = self._results.find({"report_id": report_id, "index": run})
        results = {document["_id"]: document async for document in found}
        return [_part(document, results.get(document["_id"])) for document in planned]


def _part(planned: Document, result: Document | None) -> Part:
    return Part.model_validate({"part_id": planned["_id"], **planned, **(result or {})})


def _laid_over(part: Part, result: Document | None) -> Part:
    fields = {name: value for name, value in (result or {}).items() if name in _OF_RESULTS}
    return Part.model_validate({**dict(part), **fields})


def _planned(part: Part, expires_at: datetime) -> Document:
    return {"_id": part.part_id, **part.model_dump(mode="python", exclude={"part_id"}), "expires_at": expires_at}


def _result(part: Part, expires_at: datetime) -> Document:
    fields = part.model_dump(mode="python", include=_OF_RESULTS)
    place = {"report_id": part.report_id, "role": part.role, "index": part.index}
    return {"_id": part.part_id, **place, **fields, "expires_at": expires_at}


def _swept(sweep: Sweep) -> Document:
    return {
        "status": sweep.status,
        "reason": sweep.reason,
        "detail": sweep.detail,
        "retryable": sweep.retryable,
        "finished_at": sweep.at,
        "retry_at": None,
    }
