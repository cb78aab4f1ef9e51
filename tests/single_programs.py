"""Single programs of a standalone, for tests and measurements that need no more: broker, database, stand-in judge."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from services.standalone import embedded, programs
from services.standalone.ports import free_ports
from services.standalone.probes import answers
from services.standalone.programs import Program
from shared import lifeline
from shared.settings import MongoSettings
from shared.store import Store, connect
from tests.stacks import clean_environment, until


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[str]:
    """A running database of its own; its URL."""
    program = embedded.database(next(free_ports()), folder, is_temporary=True)
    async with _running(program):
        yield f"mongodb://{urlsplit(program.ready_at).netloc}/?directConnection=true"


@asynccontextmanager
async def broker() -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A running broker of its own: its address, and the process, which may be killed."""
    program = embedded.broker(next(free_ports()))
    async with _running(program) as process:
        yield urlsplit(program.ready_at).netloc, process


@asynccontextmanager
async def judge() -> AsyncIterator[str]:
    """A stand-in judge that answers at once; its URL."""
    program = programs.stand_in(next(free_ports()), {})
    async with _running(program):
        yield program.ready_at.removesuffix("/models")


@asynccontextmanager
async def opened(url: str, name: str) -> AsyncIterator[Store]:
    """The store under a database name, prepared."""
    async with connect(MongoSettings(url=url, database=name, _env_file=None)) as store:
        await store.prepare()
        yield store


@asynccontextmanager
async def _running(program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *lifeline.command(*program.command),
        env=program.environment_from(clean_environment()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:

            async def is_ready() -> bool | None:
                return await answers(program.ready_at, client) or None

            await until(is_ready, f"the {program.name} to answer", 60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
