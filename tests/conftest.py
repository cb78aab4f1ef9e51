"""What every test runs on."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio alone, as the services do."""
    return "asyncio"
