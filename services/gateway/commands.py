"""The routes that ask for something: a report, its end, another try at its failed parts, its workbook once more."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from services.gateway.admission import admit
from services.gateway.asking import Asking
from services.gateway.bodies import Bodies
from services.gateway.callers import Asker, At
from services.gateway.description import reads
from services.gateway.documents import Accepted, ReportBody, RetryBody
from services.gateway.problems import invalid
from services.gateway.reading import Reading


class CommandRoutes:
    """What can be asked for."""

    def __init__(self, *, asking: Asking, reading: Reading, bodies: Bodies, new_id: Callable[[], str]) -> None:
        self._asking = asking
        self._reading = reading
        self._bodies = bodies
        self._new_id = new_id

    def add_to(self, router: APIRouter) -> None:
        """Register them."""
        place = "/reports/{report_id}"
        asked, taken = ["POST"], HTTPStatus.ACCEPTED
        router.add_api_route(
            "/reports", self.report, methods=asked, status_code=taken, openapi_extra=reads(ReportBody, is_required=True)
        )
        router.add_api_route(f"{place}/cancel", self.cancel, methods=asked, status_code=taken)
        router.add_api_route(
            f"{place}/retry", self.retry, methods=asked, status_code=taken, openapi_extra=reads(RetryBody)
        )
        router.add_api_route(f"{place}/render", self.render, methods=asked, status_code=taken)

    async def report(self, request: Request, response: Response, caller: Asker, at: At) -> Accepted:
        """Ask for a report. The same `report_id` with the same content again has no effect; with other content, 409."""
        async with self._bodies.of(request) as body:
            # a large body takes seconds to read and check: not on the event loop
            admission = await asyncio.to_thread(admit, body, caller.name, self._new_id())
            await self._asking.report(admission)
        accepted = Accepted(
            report_id=admission.request.report_id, generation=1, links=at.of(admission.request.report_id)
        )
        response.headers["Location"] = accepted.links.self
        return accepted

    async def cancel(self, caller: Asker, at: At, report_id: str) -> Accepted:
        """End the report; what has been judged still gets its workbook. 409 if it has ended."""
        found = await self._reading.find(report_id, caller)
        return Accepted(report_id=report_id, generation=await self._asking.cancel(found), links=at.of(report_id))

    async def retry(self, request: Request, caller: Asker, at: At, report_id: str) -> Accepted:
        """Judge errored and cancelled parts again, as the generation in the answer. 409 unless the report has ended."""
        found = await self._reading.find(report_id, caller)
        async with self._bodies.of(request) as body:
            try:
                wanted = RetryBody.model_validate_json(body or b"{}")
            except ValidationError as error:
                raise invalid(error) from None
        generation = await self._asking.retry(found, wanted.part_ids)
        return Accepted(report_id=report_id, generation=generation, links=at.of(report_id))

    async def render(self, caller: Asker, at: At, report_id: str) -> Accepted:
        """Build the workbook again from what is stored; nothing is judged. 409 unless the report has ended."""
        found = await self._reading.find(report_id, caller)
        return Accepted(report_id=report_id, generation=await self._asking.render(found), links=at.of(report_id))
