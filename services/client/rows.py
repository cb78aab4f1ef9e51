"""Reads JSON lines files: every line an object, every problem named by file and line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

_SHOWN = 10
_IDS = ("agent_id", "run_id", "review_id", "environment_id", "app_id")  # numbers in many exports, text with us

Model = TypeVar("Model", bound=BaseModel)


class InputError(Exception):
    """The input cannot be used; the message has one line per problem."""


class Row(NamedTuple):
    """One line of a file; `place` is `file:line`."""

    place: str
    fields: Mapping[str, JsonValue]


def read_rows(path: Path) -> list[Row]:
    """The objects in a file, blank lines left out. Raises InputError."""
    problems: list[str] = []
    rows: list[Row] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                place = f"{path}:{number}"
                try:
                    rows += _parsed(place, line)
                except ValueError as error:
                    problems.append(f"{place}: {error}")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    refuse(problems)
    return rows


def checked(model: type[Model], rows: list[Row]) -> Iterator[Model]:
    """Each row as a model. Raises InputError at the end if some do not fit."""
    problems: list[str] = []
    for row in rows:
        try:
            yield model.model_validate(row.fields)
        except ValidationError as error:
            problems += [f"{row.place}: {problem}" for problem in worded(error)]
    refuse(problems)


def worded(error: ValidationError) -> list[str]:
    """One line per problem: the field, and what is wrong with it."""
    return [f"{'.'.join(map(str, item['loc'])) or 'the whole'}: {item['msg']}" for item in error.errors()]


def refuse(problems: list[str]) -> None:
    """Raise InputError if there are problems; names the first few."""
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise InputError("\n".join([*problems[:_SHOWN], *more]))


def _parsed(place: str, line: bytes) -> list[Row]:
    text = line.decode("utf-8-sig").strip()
    if not text:
        return []
    value = json.loads(text, parse_constant=_no_number)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  # of the same kind as the parser's own errors
    return [Row(place, {name: _as_text(name, item) for name, item in value.items()})]


def _as_text(name: str, value: JsonValue) -> JsonValue:
    return str(value) if name in _IDS and isinstance(value, int) and not isinstance(value, bool) else value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
