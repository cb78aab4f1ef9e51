"""The broker of the run, and one running standalone for all tests that do not break it."""

from collections.abc import AsyncIterator

import pytest

from tests import official_images
from tests.apache_kafka import apache_kafka
from tests.stacks import Stack, stand_on, start


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the session, as the stack lives that long."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
async def broker(
    anyio_backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[None]:
    """With `--kafka=apache` all stacks share one broker, with `containers` a database too; else each embeds its own."""
    del anyio_backend
    if request.config.getoption("--kafka") == "embedded":
        yield
        return
    if request.config.getoption("--kafka") == "containers":
        with official_images.servers() as servers:
            stand_on(servers.kafka, servers.mongo)
            yield
            stand_on(None)
        return
    async with apache_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        stand_on(kafka.address)
        yield
        stand_on(None)


@pytest.fixture(scope="session")
async def stack(broker: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A standalone with a judge that answers at once."""
    del broker
    stack = await start(
        tmp_path_factory.mktemp("standalone"), KAFKA_TOPIC_PREFIX=""
    )  # the others have one of their own
    yield stack
    assert await stack.stop() == 0


@pytest.fixture
async def calm(stack: Stack) -> AsyncIterator[Stack]:
    """The same, and afterwards its judge is as it was."""
    yield stack
    await stack.behave(latency_seconds=0)
