"""Puts `--option KEY=VALUE` on top of a request's fields; pydantic gives the values their types."""

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from services.client.rows import InputError
from shared.messages import Options, ReportSpec

_NOT_FOR_OPTIONS = frozenset({"kind", "options", "data", "data_sha256", "owner"})


def applied(
    fields: Mapping[str, JsonValue], options: Sequence[str], order: type[ReportSpec]
) -> Mapping[str, JsonValue]:
    """The fields of an order, changed by the options. Raises InputError for an unknown key."""
    top = [name for name in order.model_fields if name not in _NOT_FOR_OPTIONS]
    changed = dict(fields)
    given = fields.get("options")
    judging = dict(given) if isinstance(given, dict) else {}
    for option in options:
        key, equals, text = option.partition("=")
        if not equals:
            raise InputError(f"--option {option}: write KEY=VALUE")
        if key in Options.model_fields:
            judging[key] = None if text == "null" else text
        elif key in top:
            changed[key] = _value(key, text, order)
        else:
            raise InputError(f"--option {key}: unknown; known are {', '.join([*Options.model_fields, *top])}")
    return {**changed, "options": judging} if judging else changed


def _value(key: str, text: str, order: type[ReportSpec]) -> JsonValue:
    """JSON where it is an object, a list or null; else text, which a list of names takes with commas."""
    if text == "null":
        return None
    if text.startswith(("{", "[")):
        try:
            value: JsonValue = json.loads(text)
        except ValueError as error:
            raise InputError(f"--option {key}: {error}") from error
        return value
    is_list = order.model_fields[key].annotation == tuple[str, ...] | None
    return [*text.split(",")] if is_list else text
