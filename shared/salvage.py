"""Reads from a record that could not be handled which report and which part it was about, as far as that is certain."""

from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from shared.messages import ReportId

LONGEST_PART_ID = 10_000  # characters; a longer one is no id but another fault

_REPORT_ID: TypeAdapter[str] = TypeAdapter(ReportId)


class Salvaged(NamedTuple):
    """A part of a report in a generation, which is the first where it cannot be read."""

    report_id: str
    part_id: str
    generation: int


def report_in(body: bytes) -> str | None:
    """The report a body names; None if it is no JSON object or names none."""
    return _report_id(_fields(body))


def part_in(body: bytes) -> Salvaged | None:
    """The part a body names; None unless it is certainly a part of the report that it names as well."""
    fields = _fields(body)
    report_id, part_id, generation = _report_id(fields), fields.get("part_id"), fields.get("generation")
    if report_id is None or not isinstance(part_id, str) or len(part_id) > LONGEST_PART_ID:
        return None
    if not part_id.startswith(f"{report_id}/"):
        return None
    return Salvaged(report_id, part_id, generation if type(generation) is int and generation >= 1 else 1)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = from_json(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _report_id(fields: dict[str, Any]) -> str | None:
    try:
        return _REPORT_ID.validate_python(fields.get("report_id"), strict=True)
    except ValidationError:
        return None
