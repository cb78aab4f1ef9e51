"""What goes wrong over HTTP, as RFC 9457 problem documents: status, one sentence, one line per wrong field."""

from http import HTTPStatus
from typing import NamedTuple

from pydantic import Field, ValidationError

from shared.evaluations import Value

MEDIA_TYPE = "application/problem+json"
MOST_FIELDS = 100


class FieldError(Value):
    """What is wrong with one field; `body` is the whole of what was sent."""

    field: str
    message: str


class Problem(Value):
    """A problem document. `title` is the name of the status, `detail` the sentence to read."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: tuple[FieldError, ...] = ()


class ProblemError(Exception):
    """The request is not served; what is said about it is no secret."""

    def __init__(self, status: HTTPStatus, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.problem = Problem(title=status.phrase, status=status, detail=detail, errors=errors)


class FieldTrouble(NamedTuple):
    """Where validation failed, as pydantic says it, and what it says."""

    place: tuple[int | str, ...]
    message: str


def unknown_report(report_id: str) -> ProblemError:
    """There is no such report, or it is somebody else's: the two look the same."""
    return ProblemError(HTTPStatus.NOT_FOUND, f"There is no report {report_id!r}.")


def invalid(error: ValidationError) -> ProblemError:
    """The body is not JSON, or does not fit the schema. The input is not repeated: it may be large or private."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return ProblemError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {found[0]['msg']}.")
    return wrong_fields([FieldTrouble(item["loc"], item["msg"]) for item in found])


def wrong_fields(troubles: list[FieldTrouble]) -> ProblemError:
    """One line per wrong field, the first hundred of them."""
    lines = tuple(FieldError(field=".".join(map(str, place)) or "body", message=text) for place, text in troubles)
    count = "One field is wrong." if len(lines) == 1 else f"{len(lines)} fields are wrong."
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, count, lines[:MOST_FIELDS])
