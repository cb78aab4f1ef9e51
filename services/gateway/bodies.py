"""Reads bodies piece by piece, up to a size, and only a few large ones at a time: memory is bounded whoever sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus

from starlette.requests import Request

from services.gateway.problems import ProblemError

LARGE_BYTES = 1_000_000
LARGE_AT_ONCE = 2
ARRIVAL_SECONDS = 300.0


class Bodies:
    """The bodies of one gateway."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)  # bodies above LARGE_BYTES, with all that is made of them

    @asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[bytes]:
        """The body, to be worked on within the block. Raises ProblemError (413, 408) as soon as that is clear."""
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self._most:
            raise self._too_large()
        async with AsyncExitStack() as slot:
            try:
                async with asyncio.timeout(ARRIVAL_SECONDS):
                    body = await self._arrived(request, slot)
            except TimeoutError:
                raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "The body took too long to arrive.") from None
            yield body

    async def _arrived(self, request: Request, slot: AsyncExitStack) -> bytes:
        body = bytearray()
        is_large = False
        async for chunk in request.stream():
            if len(body) + len(chunk) > self._most:
                raise self._too_large()
            body += chunk
            if not is_large and len(body) > LARGE_BYTES:
                is_large = True
                await slot.enter_async_context(self._large)
        return bytes(body)

    def _too_large(self) -> ProblemError:
        return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {self._most} bytes.")
