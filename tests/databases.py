"""The embedded database alone, for tests of what is stored."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from socket import create_connection, socket
from urllib.parse import urlsplit

from services.standalone import embedded
from shared import lifeline
from shared.settings import MongoSettings
from shared.store import Store, connect
from tests.stacks import until


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[str]:
    """A running database of its own; its URL."""
    program = embedded.database(_free_port(), folder, is_temporary=True)
    address = urlsplit(program.ready_at)
    process = await asyncio.create_subprocess_exec(
        *lifeline.command(*program.command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

    async def listens() -> bool | None:
        try:
            create_connection((address.hostname, address.port), 1).close()
        except OSError:
            return None
        return True

    try:
        await until(listens, "the database to listen", 30)
        yield f"mongodb://{address.netloc}/?directConnection=true"
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def opened(url: str, name: str) -> AsyncIterator[Store]:
    """The store under a database name, prepared."""
    async with connect(MongoSettings(url=url, database=name, _env_file=None)) as store:
        await store.prepare()
        yield store


def _free_port() -> int:
    with closing(socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
