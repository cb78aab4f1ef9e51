"""Talks to the gateway over HTTP: asks for a report, follows it, fetches its results."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from shared.messages import ReportStatus

Action = Literal["cancel", "retry", "render"]

_TIMEOUT = httpx2.Timeout(30.0, read=300.0)
_STREAM_TIMEOUT = httpx2.Timeout(30.0, read=60.0)  # a stream that is silent for longer is opened anew
_PATIENCE_SECONDS = 30.0  # with a gateway that cannot be reached while a report is followed
_PAUSE_SECONDS = 0.5


class Format(StrEnum):
    """In which form a report's results are fetched."""

    XLSX = "xlsx"
    JSON = "json"
    CSV = "csv"

    @property
    def resource(self) -> str:
        """Where they are, under the report."""
        return "workbook" if self is Format.XLSX else f"results.{self}"


class GatewayError(Exception):
    """The gateway said no, or cannot be reached; the message says which, in its words."""


class _Problem(BaseModel):
    """An RFC 9457 problem document."""

    title: str = ""
    detail: str = ""


class _Created(BaseModel):
    report_id: str


class Gateway:
    """One gateway, as one key sees it. Every call may raise GatewayError."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def request(self, body: bytes) -> str:
        """Ask for a report; return its id."""
        answer = await self._call("POST", "/reports", content=body)
        return _Created.model_validate_json(answer).report_id

    async def act(self, report_id: str, action: Action) -> None:
        """Cancel a report, judge its failed parts again, or build its workbook again."""
        await self._call("POST", f"{_path(report_id)}/{action}")

    async def document(self, report_id: str) -> str:
        """The status document, as it came."""
        return (await self._call("GET", _path(report_id))).decode()

    async def follow(self, report_id: str) -> AsyncGenerator[ReportStatus, None]:
        """Every state of a report until it is final; a broken stream is opened anew, older states are left out."""
        seen = -1
        failing_since: float | None = None
        clock = asyncio.get_running_loop().time
        while True:
            try:
                async with aclosing(self._events(report_id)) as states:
                    async for status in states:
                        failing_since = None
                        if status.version > seen:
                            seen = status.version
                            yield status
                        if status.status.is_final:
                            return
            except (httpx2.TransportError, httpx2.StreamError) as error:
                failing_since = failing_since or clock()
                if clock() - failing_since > _PATIENCE_SECONDS:
                    raise GatewayError(f"{self._client.base_url} cannot be reached any more: {error}") from error
            await asyncio.sleep(_PAUSE_SECONDS)

    async def download(
        self, report_id: str, path: Path, form: Format = Format.XLSX, generation: int | None = None
    ) -> None:
        """Write the results of a generation, by default the latest, to a file: all of it or nothing."""
        partial = path.with_name(f"{path.name}.part")
        params = {} if generation is None else {"generation": generation}
        try:
            async with self._client.stream("GET", f"{_path(report_id)}/{form.resource}", params=params) as response:
                await _refuse(response)
                with partial.open("wb") as file:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)
            partial.replace(path)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        finally:
            partial.unlink(missing_ok=True)

    async def _events(self, report_id: str) -> AsyncGenerator[ReportStatus, None]:
        async with self._client.sse(f"{_path(report_id)}/events", timeout=_STREAM_TIMEOUT) as source:
            await _refuse(source.response)
            async for event in source:
                if event.data:
                    yield ReportStatus.model_validate_json(event.data)

    async def _call(self, method: str, path: str, content: bytes | None = None) -> bytes:
        headers = {"content-type": "application/json"} if content is not None else {}
        try:
            response = await self._client.request(method, path, content=content, headers=headers)
        except httpx2.TransportError as error:
            raise self._unreachable(error) from error
        await _refuse(response)
        return response.content

    def _unreachable(self, error: httpx2.TransportError) -> GatewayError:
        return GatewayError(f"no gateway answers at {self._client.base_url} ({error}): set ASSAY_URL, or start one")


@asynccontextmanager
async def connected(url: str, api_key: str = "") -> AsyncIterator[Gateway]:
    """A gateway to talk to. Proxies of the environment are for the world outside, not for it."""
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT, trust_env=False) as client:
        yield Gateway(client)


async def _refuse(response: httpx2.Response) -> None:
    """Raise GatewayError unless the call went well."""
    if response.is_success:
        return
    body = await response.aread()
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        problem = _Problem(detail=body[:300].decode(errors="replace"))
    words = ": ".join(filter(None, (problem.title, problem.detail)))
    raise GatewayError(f"{words or response.reason_phrase} ({response.status_code})")


def _path(report_id: str) -> str:
    return f"/reports/{quote(report_id, safe='')}"
