"""The `plans` collection: a report's plan and its parts, stored together once or not at all."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from shared.evaluations import Part
from shared.state import Plan
from shared.store.documents import EXPIRY, Document
from shared.store.parts import PartCollection
from shared.vocabulary import Kind


class Subject(NamedTuple):
    """What reports that follow one another have in common."""

    owner: str | None
    kind: Kind
    subject: str


class PlanCollection:
    """Plans by report_id, insert only."""

    def __init__(
        self, client: AsyncIOMotorClient[Document], database: AsyncIOMotorDatabase[Document], parts: PartCollection
    ) -> None:
        self._client = client
        self._plans = database["plans"]
        self._parts = parts

    async def prepare(self) -> None:
        """Create the indexes."""
        about = [("owner", ASCENDING), ("kind", ASCENDING), ("subject", ASCENDING), ("accepted_at", DESCENDING)]
        await self._plans.create_indexes([EXPIRY, IndexModel(about)])

    async def get(self, report_id: str) -> Plan | None:
        """The stored plan, if there is one."""
        document = await self._plans.find_one({"_id": report_id})
        return Plan.model_validate_json(document["body"]) if document else None

    async def before(self, subject: Subject, accepted_at: datetime) -> AsyncIterator[Plan]:
        """The plans about a subject that were accepted before, the last one first."""
        query = {**subject._asdict(), "accepted_at": {"$lt": accepted_at}}
        async for document in self._plans.find(query).sort("accepted_at", DESCENDING):
            yield Plan.model_validate_json(document["body"])

    async def store(self, plan: Plan, parts: tuple[Part, ...], expires_at: datetime) -> Plan:
        """Store plan and parts in one transaction; return the plan that holds, which is the first one stored."""
        found_by = {**Subject(plan.owner, plan.kind, plan.subject)._asdict(), "accepted_at": plan.accepted_at}
        document = {"_id": plan.report_id, **found_by, "body": plan.model_dump_json(), "expires_at": expires_at}

        async def write(session: AsyncIOMotorClientSession) -> None:
            await self._plans.insert_one(document, session=session)
            await self._parts.insert(parts, expires_at, session)

        async with await self._client.start_session() as session:
            try:
                await session.with_transaction(write)
            except DuplicateKeyError:
                return await self.get(plan.report_id) or plan
        return plan

    async def is_published(self, report_id: str, generation: int) -> bool:
        """Everything that follows from the plan in this generation has been published once."""
        query = {"_id": report_id, "published": {"$gte": generation}}
        return await self._plans.find_one(query, {"_id": 1}) is not None

    async def mark_published(self, report_id: str, generation: int) -> None:
        """Note that it has."""
        await self._plans.update_one({"_id": report_id}, {"$max": {"published": generation}})
