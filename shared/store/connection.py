"""Talks to MongoDB: one client per process, the collections as attributes, indexes made at start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from shared.settings import MongoSettings
from shared.store.baselines import BaselineCollection
from shared.store.documents import Document
from shared.store.evidence import EvidenceCollection
from shared.store.judgements import JudgementCollection
from shared.store.ledger import LedgerCollections
from shared.store.parts import PartCollection
from shared.store.plans import PlanCollection
from shared.store.renders import RenderCollection
from shared.store.reports import ReportCollection
from shared.store.requests import RequestCollection
from shared.store.sources import SourceCollections
from shared.store.tasks import TaskCollection
from shared.store.uploads import UploadCollection
from shared.store.workbooks import WorkbookFiles

StoreUnavailableError = PyMongoError
"""What every call may raise while the database cannot be reached; trying again later is right."""


class Store(NamedTuple):
    """The collections of one process."""

    client: AsyncIOMotorClient[Document]
    plans: PlanCollection
    parts: PartCollection
    tasks: TaskCollection
    evidence: EvidenceCollection
    baselines: BaselineCollection
    reports: ReportCollection
    renders: RenderCollection
    ledger: LedgerCollections
    judgements: JudgementCollection
    workbooks: WorkbookFiles
    uploads: UploadCollection
    requests: RequestCollection
    sources: SourceCollections

    async def ping(self) -> None:
        """Raise StoreUnavailableError unless the database answers."""
        await self.client.admin.command("ping")

    async def replica_set(self) -> str | None:
        """The name of the replica set, if it is one and takes writes. Raises StoreUnavailableError."""
        said = await self.client.admin.command("hello")
        name: str | None = said.get("setName")
        return name if said.get("isWritablePrimary") else None

    async def prepare(self) -> None:
        """Create collections and indexes where missing; harmless when repeated."""
        for collection in (
            self.plans,
            self.parts,
            self.tasks,
            self.evidence,
            self.baselines,
            self.reports,
            self.renders,
            self.ledger,
            self.judgements,
            self.uploads,
            self.requests,
            self.sources,
        ):
            await collection.prepare()


@asynccontextmanager
async def connect(settings: MongoSettings) -> AsyncIterator[Store]:
    """Open the store; close it at the end. Does not wait for the database: the first call does."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        settings.url.get_secret_value(),
        tz_aware=True,
        appname="assay",
        w="majority",
        serverSelectionTimeoutMS=10_000,
        minPoolSize=4,  # opened ahead: the first reports find connections
    )
    database = client[settings.database]
    parts = PartCollection(database)
    try:
        yield Store(
            client=client,
            plans=PlanCollection(client, database, parts),
            parts=parts,
            tasks=TaskCollection(database),
            evidence=EvidenceCollection(database),
            baselines=BaselineCollection(database),
            reports=ReportCollection(client, database, parts),
            renders=RenderCollection(database),
            ledger=LedgerCollections(database),
            judgements=JudgementCollection(database),
            workbooks=WorkbookFiles(database),
            uploads=UploadCollection(database),
            requests=RequestCollection(database),
            sources=SourceCollections(client[settings.source_database]),
        )
    finally:
        client.close()
