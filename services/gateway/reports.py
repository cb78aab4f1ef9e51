"""The routes that show reports: the list, the status document, the stream of statuses, the workbook."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse

from services.gateway.callers import Asker, At
from services.gateway.documents import ReportPage, StatusDocument
from services.gateway.downloads import content_disposition
from services.gateway.events import EventStream, Rhythm, events, version_seen, written
from services.gateway.live import Hub
from services.gateway.ports import Workbooks
from services.gateway.problems import ProblemError
from services.gateway.reading import Reading, Wanted
from shared.messages import ReportStatus
from shared.state import Report
from shared.vocabulary import Kind, Status

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReportRoutes:
    """What can be read of reports."""

    def __init__(self, *, reading: Reading, workbooks: Workbooks, hub: Hub, rhythm: Rhythm) -> None:
        self._reading = reading
        self._workbooks = workbooks
        self._hub = hub
        self._rhythm = rhythm

    def add_to(self, router: APIRouter) -> None:
        """Register them."""
        streamed: dict[int | str, dict[str, object]] = {200: {"content": {EventStream.media_type: {}}}}
        filed: dict[int | str, dict[str, object]] = {200: {"content": {XLSX: {}}}}
        router.add_api_route("/reports", self.newest)
        router.add_api_route("/reports/{report_id}", self.status)
        router.add_api_route("/reports/{report_id}/events", self.events, responses=streamed, response_class=Response)
        router.add_api_route("/reports/{report_id}/workbook", self.workbook, responses=filed, response_class=Response)

    async def newest(
        self,
        *,
        caller: Asker,
        at: At,
        status: Status | None = None,
        kind: Kind | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: str | None = None,
    ) -> ReportPage:
        """Reports, newest first, those above `after` left out."""
        page = await self._reading.newest(Wanted(status, kind, limit, after), caller)
        return page.model_copy(update={"reports": tuple(at.linked(report) for report in page.reports)})

    async def status(
        self, caller: Asker, at: At, report_id: str, parts_after: Annotated[int, Query(ge=-1)] = -1
    ) -> StatusDocument:
        """The status document, with up to a thousand parts above the index `parts_after`."""
        found = await self._reading.find(report_id, caller)
        status = at.linked(found.status)
        return await self._reading.document(status, parts_after)

    async def events(
        self, caller: Asker, at: At, report_id: str, last_event_id: Annotated[str | None, Header()] = None
    ) -> Response:
        """Server-Sent Events: the stored status, then every change until the report ends; an event's id is its version.

        204, which tells a browser not to come back, where `Last-Event-ID` is the version of the final status.
        """
        first = at.linked((await self._reading.find(report_id, caller)).status)
        seen = version_seen(last_event_id, first)
        if first.status.is_final and seen == first.version:
            return Response(status_code=HTTPStatus.NO_CONTENT)

        async def look() -> ReportStatus | None:
            found = await self._reading.look(report_id)
            return found.status if found is not None else None

        return EventStream(written(events(self._hub, first, seen, look, self._rhythm), at.linked))

    async def workbook(
        self, caller: Asker, report_id: str, if_none_match: Annotated[str | None, Header()] = None
    ) -> Response:
        """The workbook's file. 409 while it is not there."""
        found = await self._reading.find(report_id, caller)
        report = found.report
        if report is None or report.workbook is None:
            raise ProblemError(HTTPStatus.CONFLICT, f"There is no workbook: the report is {found.status.status}.")
        headers = _file_headers(report, report.workbook.sha256)
        if if_none_match is not None and headers["ETag"] in {tag.strip() for tag in if_none_match.split(",")}:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        chunks = self._workbooks.read(report.workbook.file_id)
        first = await anext(chunks, b"")  # before the answer begins: where the file is gone it can still be an error
        headers["Content-Length"] = str(report.workbook.bytes)
        return StreamingResponse(_rejoined(first, chunks), headers=headers, media_type=XLSX)


def _file_headers(report: Report, sha256: str) -> dict[str, str]:
    return {
        "ETag": f'"{sha256}"',
        "Content-Disposition": content_disposition(report.title, report.report_id),
        "Cache-Control": "private, no-cache",  # ask each time: a retry or a new rendering replaces the file
        "X-Content-Type-Options": "nosniff",
    }


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
