"""The routes that show reports: the list, the status document, the stream of statuses."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from services.gateway.callers import Asker, At
from services.gateway.documents import ReportPage, StatusDocument
from services.gateway.events import EventStream, Rhythm, events, version_seen, written
from services.gateway.live import Hub
from services.gateway.reading import Reading, Wanted
from shared.messages import ReportStatus
from shared.vocabulary import Kind, Status


class ReportRoutes:
    """What can be read of reports."""

    def __init__(self, *, reading: Reading, hub: Hub, rhythm: Rhythm) -> None:
        self._reading = reading
        self._hub = hub
        self._rhythm = rhythm

    def add_to(self, router: APIRouter) -> None:
        """Register them."""
        streamed: dict[int | str, dict[str, object]] = {200: {"content": {EventStream.media_type: {}}}}
        router.add_api_route("/reports", self.newest)
        router.add_api_route("/reports/{report_id}", self.status)
        router.add_api_route("/reports/{report_id}/events", self.events, responses=streamed, response_class=Response)

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
        document = await self._reading.document(at.linked(found.status), parts_after)
        known = found.report.generations if found.report is not None and found.report.planned_at is not None else ()
        rows = tuple(at.generation(report_id, reached) for reached in known)
        return document.model_copy(update={"generations": rows})

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
