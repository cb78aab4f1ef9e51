"""The pages every room has: `/healthz` (alive), `/readyz` (can do its work), `/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CHECK_SECONDS = 5.0

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong, None if nothing is."""


def health_routes(
    registry: CollectorRegistry,
    alive: Callable[[], str | None],
    ready: Mapping[str, Check],
    notes: Callable[[], Sequence[str]] = tuple,
) -> list[Route]:
    """The three routes; `ready` by what is checked; `notes` are worth saying though the room can do its work."""

    async def healthz(request: Request) -> Response:
        del request
        found = alive()
        return JSONResponse({"alive": found is None, "trouble": found}, 503 if found else 200)

    async def readyz(request: Request) -> Response:
        del request
        troubles = {name: await trouble(check) for name, check in ready.items()}
        is_ready = not any(troubles.values())
        return JSONResponse({"ready": is_ready, "checks": troubles, "notes": [*notes()]}, 200 if is_ready else 503)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def trouble(check: Check) -> str | None:
    """What a check says, or that it failed or took too long."""
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except Exception as error:  # noqa: BLE001  # whatever is wrong is the answer
        return f"{type(error).__name__}: {error}"
