"""What a room's pages say of itself."""

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from shared.chassis.http import health_routes


async def ready(trouble: str | None) -> httpx2.Response:
    async def check() -> str | None:
        return trouble

    routes = health_routes(CollectorRegistry(), lambda: None, {"judge": check}, lambda: ["a model is not there"])
    transport = httpx2.ASGITransport(Starlette(routes=routes))
    async with httpx2.AsyncClient(transport=transport, base_url="http://room") as client:
        return await client.get("/readyz")


@pytest.mark.parametrize(("trouble", "status"), [(None, 200), ("no credit", 503)])
async def test_a_room_says_what_it_waits_for_and_what_is_worth_a_note(trouble: str | None, status: int) -> None:
    answer = await ready(trouble)
    assert answer.status_code == status
    assert answer.json() == {
        "ready": trouble is None,
        "checks": {"judge": trouble},
        "notes": ["a model is not there"],
    }
