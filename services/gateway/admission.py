"""Decides what becomes of a body sent to `POST /reports`: the request to publish, or the problem it has."""

import json
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

from services.gateway.problems import FieldTrouble, ProblemError, invalid, wrong_fields
from shared.evaluations import Value
from shared.messages import ReportRequested

RECORD_BYTES = 900_000  # a Kafka record holds 1 MiB with its headers
NOT_CONTENT = frozenset({"type", "report_id", "owner", "data_sha256"})  # the id, and what the gateway itself says


class Upload(NamedTuple):
    """Inline data that is too large for a record."""

    sha256: str
    content: bytes


class Admission(NamedTuple):
    """A request as it will be stored and published: `record` has the fields as sent, so a repeat gives the same one."""

    request: ReportRequested
    record: str
    content_sha256: str
    upload: Upload | None


def admit(body: bytes, owner: str | None, spare_id: str) -> Admission:
    """Read a body; `spare_id` is the report's id if it names none. Raises ProblemError (400, 422)."""
    fields = _fields(body)
    content = {name: value for name, value in fields.items() if name not in NOT_CONTENT}
    try:
        digest = content_sha256(content)
        request = ReportRequested.model_validate({**content, **_ours(fields, owner, spare_id)})
    except ValidationError as error:
        raise invalid(error) from None
    except ValueError as error:  # a number so large that it was read as infinite
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from None
    record, upload = _dumped(request), None
    if len(record.encode()) > RECORD_BYTES and request.data is not None:
        data = _dumped(request.data).encode()
        upload = Upload(sha256(data).hexdigest(), data)
        request = request.model_copy(update={"data": None, "data_sha256": upload.sha256})
        record = _dumped(request)
    if (size := len(record.encode())) > RECORD_BYTES:
        trouble = f"all but `data` takes {size} bytes together, and {RECORD_BYTES} is the most"
        raise wrong_fields([FieldTrouble((), trouble)])
    return Admission(request, record, digest, upload)


def content_sha256(content: Mapping[str, JsonValue]) -> str:
    """The hash of fields as sent, whatever their order and spacing. Raises ValueError for what JSON has no word for."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(canonical.encode()).hexdigest()


def _ours(fields: Mapping[str, JsonValue], owner: str | None, spare_id: str) -> dict[str, JsonValue]:
    """The fields that are not content."""
    named = fields.get("report_id")
    ours: dict[str, JsonValue] = {"type": "ReportRequested", "report_id": spare_id if named is None else named}
    return ours if owner is None else {**ours, "owner": owner}


def _dumped(value: Value) -> str:
    return value.model_dump_json(by_alias=True, exclude_unset=True)


def _fields(body: bytes) -> dict[str, JsonValue]:
    try:
        fields = from_json(body, allow_inf_nan=False)
    except ValueError as error:  # also what is not UTF-8, too deep, or a number out of range
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from None
    if not isinstance(fields, dict):
        raise wrong_fields([FieldTrouble((), "must be a JSON object")])
    return fields
