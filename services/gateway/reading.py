"""Finds reports for whoever may see them: as the renderer knows them, else as the gateway accepted them."""

from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from services.gateway.documents import ReportPage, StatusDocument, accepted_status, document_of
from services.gateway.keys import Caller
from services.gateway.ports import Parts, Reports, Requests
from services.gateway.problems import FieldTrouble, unknown_report, wrong_fields
from shared.messages import ReportRequested, ReportStatus
from shared.state import Report
from shared.statuses import status_of
from shared.store.reports import Place
from shared.store.requests import StoredRequest
from shared.vocabulary import Kind, Status

PARTS_PER_PAGE = 1000
_NEVER = datetime.min.replace(tzinfo=UTC)


class Found(NamedTuple):
    """A report: its status, and where it comes from. The renderer's knowledge, if any, goes before the request."""

    status: ReportStatus
    report: Report | None
    request: StoredRequest | None


class Wanted(NamedTuple):
    """Which reports to list; None leaves a condition out. `after` is the id of the last one already listed."""

    status: Status | None
    kind: Kind | None
    limit: int
    after: str | None


class Reading:
    """Reads, and changes nothing."""

    def __init__(self, reports: Reports, requests: Requests, parts: Parts) -> None:
        self._reports = reports
        self._requests = requests
        self._parts = parts

    async def find(self, report_id: str, caller: Caller) -> Found:
        """The report. Raises ProblemError (404) where there is none that the caller may see."""
        found = await self.look(report_id)
        if found is None or not caller.sees(found.status.owner):
            raise unknown_report(report_id)
        return found

    async def look(self, report_id: str) -> Found | None:
        """The report whoever asks, None if there is none."""
        report = await self._reports.get(report_id)
        if report is not None:
            return Found(status_of(report), report, None)
        request = await self._requests.get(report_id)
        return Found(_status_of(request), None, request) if request is not None else None

    async def document(self, status: ReportStatus, parts_after: int) -> StatusDocument:
        """The status with its parts above an index."""
        parts = [part async for part in self._parts.of_report(status.report_id, parts_after, PARTS_PER_PAGE + 1)]
        shown = parts[:PARTS_PER_PAGE]
        return document_of(status, shown, shown[-1].index if len(parts) > PARTS_PER_PAGE else None)

    async def newest(self, wanted: Wanted, caller: Caller) -> ReportPage:
        """A page of the list. Raises ProblemError where `after` is no report, or none that the caller may see."""
        place = await self._place(wanted.after, caller) if wanted.after is not None else None
        limit = wanted.limit + 1  # one more tells whether there is a next page
        found = [
            status_of(report)
            async for report in self._reports.newest(
                status=wanted.status, kind=wanted.kind, owner=caller.only, limit=limit, after=place
            )
        ]
        if wanted.status in {None, Status.ACCEPTED}:
            found += await self._only_accepted(wanted.kind, caller, limit, place)
        found.sort(key=_order, reverse=True)
        shown = tuple(islice(found, wanted.limit))
        return ReportPage(reports=shown, next=shown[-1].report_id if len(found) > len(shown) else None)

    async def _only_accepted(
        self, kind: Kind | None, caller: Caller, limit: int, place: Place | None
    ) -> list[ReportStatus]:
        """Those that the renderer does not know yet."""
        requests = self._requests.newest_unsettled(kind=kind, owner=caller.only, limit=limit, after=place)
        found = [_status_of(request) async for request in requests]
        known = await self._reports.existing([status.report_id for status in found]) if found else frozenset()
        return [status for status in found if status.report_id not in known]

    async def _place(self, report_id: str, caller: Caller) -> Place:
        found = await self.look(report_id)
        if found is None or not caller.sees(found.status.owner):
            raise wrong_fields([FieldTrouble(("after",), "there is no such report")])
        return _order(found.status)


def _status_of(request: StoredRequest) -> ReportStatus:
    return accepted_status(ReportRequested.model_validate_json(request.body), request.accepted_at)


def _order(status: ReportStatus) -> Place:
    return Place(status.accepted_at or _NEVER, status.report_id)
