"""Reads a finished report's judgements back: from its workbook, or of agents from its results as JSON."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zipfile import BadZipFile

from pydantic import BaseModel, ValidationError

from services.client.rows import InputError
from shared.vocabulary import PartStatus, Role, Sentiment

if TYPE_CHECKING:
    from openpyxl import Workbook

SENTIMENTS = tuple(map(str, Sentiment))
VERDICTS = ("passed", "not passed")
REVIEWS = ("Language", "Review ID", "Shown to the judge")
READINGS = ("Language", "Review ID", "Judged as")  # of those that were not read as neutral
LANGUAGES = ("Language", "Status", "Summary")
AGENTS = ("ID", "Status", "Verdict")
HEADER_ROWS = 5  # within which a table begins

NOT_SHOWN = "not shown to the judge"
NOT_JUDGED = "in a part that was not judged"
UNSCORED = "unscored"
TWICE = "of an id that the report has twice"


class Judgements(NamedTuple):
    """What the judge said by the id of a review or an agent, and of the others why nothing can be compared."""

    said: Mapping[str, str]
    left_out: Mapping[str, str]


class Report(NamedTuple):
    """The judgements of a report: its reviews, or its agents."""

    reviews: Judgements
    agents: Judgements


class _Part(BaseModel):
    role: Role
    key: str
    status: PartStatus
    passed: bool | None = None


class _Results(BaseModel):
    parts: tuple[_Part, ...]


def read(path: Path) -> Report:
    """The judgements in a downloaded file. Raises InputError."""
    return _from_json(path) if path.suffix == ".json" else _from_workbook(path)


def _from_workbook(path: Path) -> Report:
    from openpyxl import load_workbook  # noqa: PLC0415  # a tenth of a second, for this command alone
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = load_workbook(path, read_only=True)
    except (OSError, BadZipFile, InvalidFileException, KeyError) as error:
        raise InputError(f"{path}: not a workbook ({error})") from error
    try:
        judged = {name for name, status, _ in _rows(book, LANGUAGES) if status == PartStatus.COMPLETED}
        readings = {(language, review): said for language, review, said in _rows(book, READINGS)}
        reviews = [
            _review(review, readings.get((language, review)), is_shown=shown == "yes", is_judged=language in judged)
            for language, review, shown in _rows(book, REVIEWS)
        ]
        return Report(_joined(reviews), _joined(_agent(*row) for row in _rows(book, AGENTS)))
    finally:
        book.close()


def _from_json(path: Path) -> Report:
    """The results in JSON do not say which reviews the judge was shown, so of those nothing can be compared."""
    try:
        parts = _Results.model_validate(json.loads(path.read_bytes())).parts
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(f"{path}: not the results of a report") from error
    if any(part.role is Role.LANGUAGE for part in parts):
        raise InputError(f"{path}: which reviews the judge was shown stands in the workbook alone; give that")
    verdicts = {True: "passed", False: "not passed", None: "unscored"}
    agents = [_agent(part.key, str(part.status), verdicts[part.passed]) for part in parts if part.role is Role.AGENT]
    return Report(_joined(()), _joined(agents))


class _Judged(NamedTuple):
    key: str
    said: str | None
    left_out: str = ""


def _review(review_id: str, said: str | None, *, is_shown: bool, is_judged: bool) -> _Judged:
    if not is_shown:
        return _Judged(review_id, None, NOT_SHOWN)
    return _Judged(review_id, said or Sentiment.NEUTRAL) if is_judged else _Judged(review_id, None, NOT_JUDGED)


def _agent(agent_id: str, status: str, verdict: str) -> _Judged:
    if status != PartStatus.COMPLETED:
        return _Judged(agent_id, None, NOT_JUDGED)
    return _Judged(agent_id, verdict) if verdict in VERDICTS else _Judged(agent_id, None, UNSCORED)


def _joined(found: Iterable[_Judged]) -> Judgements:
    said: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for item in found:
        if item.key in said or item.key in left_out:
            said.pop(item.key, None)
            left_out[item.key] = TWICE
        elif item.said is None:
            left_out[item.key] = item.left_out
        else:
            said[item.key] = item.said
    return Judgements(said, left_out)


def _rows(book: "Workbook", wanted: tuple[str, str, str]) -> Iterator[tuple[str, str, str]]:
    """Three columns, by their headers, of every sheet with such a table; as text."""
    for sheet in book.worksheets:
        rows = iter(sheet.iter_rows(values_only=True))
        for head in islice(rows, HEADER_ROWS):
            if set(wanted) <= set(head):
                one, two, three = (head.index(name) for name in wanted)
                for cells in rows:
                    yield _text(cells[one]), _text(cells[two]), _text(cells[three])


def _text(value: object) -> str:
    """A cell as it was before it was written: Excel's escapes undone (ECMA-376, ST_Xstring)."""
    return "" if value is None else _ESCAPE.sub(lambda found: chr(int(found[1], 16)), str(value))


_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
