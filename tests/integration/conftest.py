"""One running standalone for all tests that do not break it."""

from collections.abc import AsyncIterator

import pytest

from tests.stacks import Stack, start


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the session, as the stack lives that long."""
    return "asyncio"


@pytest.fixture(scope="session")
async def stack(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A standalone with a judge that answers at once."""
    del anyio_backend
    stack = await start(tmp_path_factory.mktemp("standalone"))
    yield stack
    assert await stack.stop() == 0


@pytest.fixture
async def calm(stack: Stack) -> AsyncIterator[Stack]:
    """The same, and afterwards its judge is as it was."""
    yield stack
    await stack.behave(latency_seconds=0)
