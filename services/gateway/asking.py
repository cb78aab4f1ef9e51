"""Takes in what is asked of reports: a new one is stored, then published; orders about one are checked, then published.

Stored first: what was answered with 202 survives a lost broker, because the outbox publishes it again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from services.gateway.admission import Admission
from services.gateway.ports import Command, Publisher, Reports, Requests, Uploads
from services.gateway.problems import ProblemError
from services.gateway.reading import Found
from shared.messages import CancelRequested, RenderRequested, RetryRequested
from shared.state import Report
from shared.store.requests import StoredRequest
from shared.vocabulary import PartStatus, Status

FIRST_LOOK = timedelta(seconds=5)  # what has not reached the renderer by then is published again


class Asking:
    """What callers may ask for."""

    def __init__(
        self,
        *,
        reports: Reports,
        requests: Requests,
        uploads: Uploads,
        publisher: Publisher,
        clock: Callable[[], datetime],
        retention: timedelta,
    ) -> None:
        self._reports = reports
        self._requests = requests
        self._uploads = uploads
        self._publisher = publisher
        self._clock = clock
        self._retention = retention

    async def report(self, admission: Admission) -> None:
        """Take in a request. The same one again changes nothing. Raises ProblemError (409) if its id is in use."""
        request, now = admission.request, self._clock()
        held = await self._requests.get(request.report_id)
        if held is None:
            if await self._reports.get(request.report_id) is not None:
                raise _in_use(request.report_id)  # it did not come through the gateway, and its content is not known
            held = await self._store(admission, now)
        if (held.content_sha256, held.owner) != (admission.content_sha256, request.owner):
            raise _in_use(request.report_id)
        await self._publisher.publish(held.report_id, held.body)

    async def cancel(self, found: Found) -> int:
        """Ask to end a report; the generation it ends in. Raises ProblemError (409, 503)."""
        if found.status.status.is_final:
            raise _conflict(f"The report has ended: it is {found.status.status}.")
        command = CancelRequested(report_id=found.status.report_id)
        await self._order(found, command)
        return found.status.generation

    async def retry(self, found: Found, part_ids: tuple[str, ...] | None) -> int:
        """Ask to judge failed parts again; the generation that will be. Raises ProblemError (409, 503)."""
        report = found.report
        if report is None or not report.status.is_final:
            raise _conflict(f"Only a report that has ended can be retried: it is {found.status.status}.")
        if not _has_failed_parts(report):
            raise _conflict("There is nothing to retry: no part failed or was cancelled.")
        command = RetryRequested(report_id=report.report_id, generation=report.generation + 1, part_ids=part_ids)
        await self._order(found, command)
        return command.generation

    async def render(self, found: Found) -> int:
        """Ask for the workbook to be built again; the generation it shows. Raises ProblemError (409, 503)."""
        report = found.report
        if report is None or not report.status.is_final:
            raise _conflict(f"Only a report that has ended can be rendered again: it is {found.status.status}.")
        if report.planned_at is None or report.status is Status.REJECTED:
            raise _conflict("There is nothing to render: the report was never planned.")
        await self._order(found, RenderRequested(report_id=report.report_id))
        return report.generation

    async def _store(self, admission: Admission, now: datetime) -> StoredRequest:
        request, expires_at = admission.request, now + self._retention
        if admission.upload is not None:
            await self._uploads.store(admission.upload.sha256, admission.upload.content, expires_at)
        stored = StoredRequest(
            report_id=request.report_id,
            owner=request.owner,
            kind=request.kind,
            title=request.title,
            content_sha256=admission.content_sha256,
            body=admission.record,
            accepted_at=now,
        )
        return await self._requests.insert(stored, now + FIRST_LOOK, expires_at)

    async def _order(self, found: Found, command: Command) -> None:
        """Publish an order. Where the renderer does not know the report yet, its request goes first once more."""
        messages = (found.request.body, command) if found.request is not None else (command,)
        if not await self._publisher.publish(found.status.report_id, *messages):
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "The broker cannot be reached; try again later.")


def _has_failed_parts(report: Report) -> bool:
    overview_failed = report.overview in {PartStatus.ERRORED, PartStatus.CANCELLED}
    return report.errored + report.cancelled > 0 or overview_failed


def _in_use(report_id: str) -> ProblemError:
    return _conflict(f"The report_id {report_id!r} is in use for a request with other content.")


def _conflict(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, detail)
