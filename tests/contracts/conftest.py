"""One database for all contracts of what is stored."""

import itertools
from collections.abc import AsyncIterator

import pytest

from shared.store import Store
from tests.single_programs import database, opened

_names = (f"contract{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for a module, as its database lives that long."""
    return "asyncio"


@pytest.fixture(scope="module")
async def mongo(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a running database."""
    del anyio_backend
    async with database(tmp_path_factory.mktemp("mongo")) as url:
        yield url


@pytest.fixture
def database_name() -> str:
    """A name that no other test uses."""
    return next(_names)


@pytest.fixture
async def store(mongo: str, database_name: str) -> AsyncIterator[Store]:
    """An empty store."""
    async with opened(mongo, database_name) as store:
        yield store
