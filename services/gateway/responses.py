"""Turns what was raised into problem documents, so that every error has one form and none tells of our insides."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from services.gateway.problems import MEDIA_TYPE, FieldTrouble, ProblemError, wrong_fields
from shared.store import StoreUnavailableError

logger = logging.getLogger(__name__)

_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "5"},
}


def problem_response(error: ProblemError, headers: Mapping[str, str] | None = None) -> Response:
    """The document as a response."""
    status = HTTPStatus(error.problem.status)
    body = error.problem.model_dump_json(exclude=None if error.problem.errors else {"errors"})
    return Response(body, status, headers or _HEADERS.get(status), MEDIA_TYPE)


def answer_errors(app: FastAPI) -> None:
    """Register the answer for everything that can be raised."""
    for kind in (ProblemError, HTTPException, RequestValidationError, StoreUnavailableError, ClientDisconnect, 500):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    del request
    return problem_response(_problem(error), getattr(error, "headers", None))


def _problem(error: Exception) -> ProblemError:
    """What to say of an error. Of one that nobody foresaw nothing: the server logs it when it is raised on."""
    match error:
        case ProblemError():
            return error
        case HTTPException():
            return ProblemError(HTTPStatus(error.status_code), f"{error.detail}.")
        case RequestValidationError():
            return wrong_fields([FieldTrouble(tuple(item["loc"][1:]), item["msg"]) for item in error.errors()])
        case StoreUnavailableError():
            logger.warning("the database did not answer: %r", error)
            return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be reached; try again later.")
        case ClientDisconnect():
            return ProblemError(HTTPStatus.BAD_REQUEST, "The body never arrived in full.")
        case _:
            return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; it has been logged.")
