"""The routes that hand out what a report has come to: the workbook, and its siblings for programs."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse

from services.gateway.callers import Asker
from services.gateway.description import gives
from services.gateway.downloads import content_disposition
from services.gateway.exports import ResultDocument, as_json, head_of
from services.gateway.generations import wanted_generation, wanted_workbook
from services.gateway.ports import Parts, Plans, Workbooks
from services.gateway.problems import unknown_report
from services.gateway.reading import Found, Reading
from services.gateway.table import HEADER, as_csv
from shared.state import Plan

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8; header=present"

Number = Annotated[int | None, Query(ge=1, description="1 is the first, each retry one more; the latest if left out")]


class ResultRoutes:
    """What can be downloaded."""

    def __init__(self, *, reading: Reading, plans: Plans, parts: Parts, workbooks: Workbooks) -> None:
        self._reading = reading
        self._plans = plans
        self._parts = parts
        self._workbooks = workbooks

    def add_to(self, router: APIRouter) -> None:
        """Register them."""
        place = "/reports/{report_id}"
        router.add_api_route(f"{place}/workbook", self.workbook, responses=gives(XLSX), response_class=Response)
        router.add_api_route(
            f"{place}/results.csv", self.csv, responses=gives("text/csv", HEADER), response_class=Response
        )
        document = gives("application/json", ResultDocument)
        router.add_api_route(f"{place}/results.json", self.json, responses=document, response_class=Response)

    async def workbook(
        self,
        caller: Asker,
        report_id: str,
        generation: Number = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The workbook's file. 409 while it is not there; 404 where a generation has none."""
        found = await self._reading.find(report_id, caller)
        workbook = wanted_workbook(found.status, found.report, generation)
        headers = {**_headers(found, "xlsx"), "ETag": f'"{workbook.sha256}"'}
        if if_none_match is not None and headers["ETag"] in {tag.strip() for tag in if_none_match.split(",")}:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["Content-Length"] = str(workbook.bytes)
        return await _streamed(self._workbooks.read(workbook.file_id), headers, XLSX)

    async def csv(self, caller: Asker, report_id: str, generation: Number = None) -> Response:
        """The results as a tidy table, one row per part and criterion. 409 and 404 as for the workbook."""
        found = await self._reading.find(report_id, caller)
        number = wanted_generation(found.status, found.report, generation).generation
        lines = as_csv(report_id, self._parts.as_of(report_id, number))
        return await _streamed(_encoded(lines), _headers(found, "csv"), CSV)

    async def json(self, caller: Asker, report_id: str, generation: Number = None) -> Response:
        """The results as one document. 409 and 404 as for the workbook."""
        found = await self._reading.find(report_id, caller)
        reached = wanted_generation(found.status, found.report, generation)
        head = head_of(await self._plan(report_id), reached)
        pieces = as_json(head, self._parts.as_of(report_id, reached.generation))
        return await _streamed(_encoded(pieces), _headers(found, "json"), "application/json")

    async def _plan(self, report_id: str) -> Plan:
        plan = await self._plans.get(report_id)
        if plan is None:
            raise unknown_report(report_id)  # it has expired since the report was found
        return plan


def _headers(found: Found, extension: str) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(found.status.title, found.status.report_id, extension),
        "Cache-Control": "private, no-cache",  # ask each time: a retry or a new rendering replaces the file
        "X-Content-Type-Options": "nosniff",
    }


async def _streamed(chunks: AsyncIterator[bytes], headers: dict[str, str], media_type: str) -> Response:
    first = await anext(chunks, b"")  # before the answer begins: where the file is gone it can still be an error
    return StreamingResponse(_rejoined(first, chunks), headers=headers, media_type=media_type)


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


async def _encoded(texts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for text in texts:
        yield text.encode()
