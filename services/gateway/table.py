"""Decides what `results.csv` holds: one row per part and criterion, and text that can be nothing but text.

A part without criteria has one row. A part that failed has its rows, too: with status and reason, and without a score.
"""

import csv
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from io import StringIO
from typing import NamedTuple

from shared.evaluations import AgentEvaluation, Criterion, CriterionScore, LanguageEvaluation, OverviewEvaluation, Part
from shared.vocabulary import PartStatus

Field = str | int | float | datetime | None

BYTE_ORDER_MARK = "\ufeff"  # Excel takes UTF-8 for UTF-8 only by this
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n?")
# Spreadsheets read text that opens so as a formula (OWASP, "CSV Injection"); the wide ones count as well.
_OPENS_LIKE_CODE = ("=", "+", "-", "@", "\t", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Row(NamedTuple):
    """A part and one of its criteria; `evaluation` is None unless the part was judged."""

    part: Part
    criterion: Criterion | None = None
    scored: CriterionScore | None = None

    @property
    def is_judged(self) -> bool:
        """What stands in it is the outcome, and not what a retry left behind."""
        return self.part.status is PartStatus.COMPLETED

    @property
    def language(self) -> LanguageEvaluation | None:
        """What the reviews of the language say."""
        return self.part.evaluation if isinstance(self.part.evaluation, LanguageEvaluation) else None


class Column(NamedTuple):
    """A column: its name, which stays the same for ever, and what it says of a row."""

    name: str
    value: Callable[[Row], Field]


async def as_csv(report_id: str, parts: AsyncIterable[Part]) -> AsyncIterator[str]:
    """The table, part by part: a report of any size takes the memory of one part."""
    yield BYTE_ORDER_MARK + HEADER
    async for part in parts:
        yield "".join(line([report_id, *(column.value(row) for column in COLUMNS)]) for row in rows_of(part))


def rows_of(part: Part) -> list[Row]:
    """One row per criterion that the part was to be judged by; one row if there are none."""
    if not part.criteria:
        return [Row(part)]
    evaluation = part.evaluation if part.status is PartStatus.COMPLETED else None
    judged = evaluation.criteria if isinstance(evaluation, AgentEvaluation | OverviewEvaluation) else ()
    scored = {score.name: score for score in judged}
    return [Row(part, criterion, scored.get(criterion.name)) for criterion in part.criteria]


def line(fields: Iterable[Field]) -> str:
    """A line of the file, RFC 4180: text in quotes, numbers without."""
    written = StringIO()
    csv.writer(written, quoting=csv.QUOTE_NONNUMERIC).writerow([_said(field) for field in fields])
    return written.getvalue()


def safe_text(text: str) -> str:
    """The text, nothing unprintable in it, with an apostrophe before what a spreadsheet would take for a formula."""
    clean = _NO_TEXT.sub(REPLACEMENT, _LINE_END.sub("\n", text))
    return f"'{clean}" if clean.lstrip(" ").startswith(_OPENS_LIKE_CODE) else clean


def _said(field: Field) -> str | float:
    match field:
        case None:
            return ""
        case bool():
            return "true" if field else "false"
        case int() | float():
            return field
        case datetime():
            return field.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            return safe_text(str(field))


def _if_judged(value: Callable[[Row], Field]) -> Callable[[Row], Field]:
    return lambda row: value(row) if row.is_judged else None


def _of_criterion(value: Callable[[Criterion], Field]) -> Callable[[Row], Field]:
    return lambda row: value(row.criterion) if row.criterion else None


def _of_score(value: Callable[[CriterionScore], Field]) -> Callable[[Row], Field]:
    return lambda row: value(row.scored) if row.scored else None


def _passed(row: Row) -> bool | None:
    if row.criterion is None or row.scored is None or row.scored.score is None:
        return None
    return row.scored.score >= row.criterion.threshold


def _deviation(row: Row) -> float | None:
    """How far several judgements of the criterion lie apart."""
    spreads = row.part.trials.criteria if row.part.trials and row.criterion else ()
    return next((spread.deviation for spread in spreads if row.criterion and spread.name == row.criterion.name), None)


def _reasoning(row: Row) -> str | None:
    if row.scored is not None:
        return row.scored.reasoning
    return row.language.summary if row.language and row.is_judged else None


COLUMNS: tuple[Column, ...] = (
    Column("role", lambda row: row.part.role),
    Column("key", lambda row: row.part.key),
    Column("name", lambda row: row.part.name),
    Column("generation", lambda row: row.part.generation),
    Column("status", lambda row: row.part.status),
    Column("reason", lambda row: row.part.reason),
    Column("part_score", _if_judged(lambda row: row.part.score)),
    Column("part_passed", _if_judged(lambda row: row.part.passed)),
    Column("criterion", _of_criterion(lambda criterion: criterion.name)),
    Column("weight", _of_criterion(lambda criterion: criterion.weight)),
    Column("threshold", _of_criterion(lambda criterion: criterion.threshold)),
    Column("score", _of_score(lambda scored: scored.score)),
    Column("passed", _passed),
    Column("sentiment", _if_judged(lambda row: row.language.sentiment if row.language else None)),
    Column("rows", lambda row: row.part.facts.rows),
    Column("rows_shown", lambda row: row.part.coverage.used),
    Column("runs_finished", lambda row: row.part.facts.finished),
    Column("runs_succeeded", lambda row: row.part.facts.succeeded),
    Column("reviews_rated", lambda row: row.part.facts.rated),
    Column("reviews_positive", lambda row: row.part.facts.positive),
    Column("mean_rating", lambda row: row.part.facts.mean_rating),
    Column("attempts", lambda row: row.part.attempts),
    Column("seconds", lambda row: row.part.seconds),
    Column("input_tokens", lambda row: row.part.usage.input_tokens),
    Column("output_tokens", lambda row: row.part.usage.output_tokens),
    Column("cost_usd", lambda row: row.part.usage.cost_usd),
    Column("judge_model", _if_judged(lambda row: row.part.judge.model if row.part.judge else None)),
    Column("prompt_version", _if_judged(lambda row: row.part.judge.prompt_version if row.part.judge else None)),
    Column("trials", lambda row: row.part.trials.asked if row.part.trials else 1),
    Column("trials_judged", _if_judged(lambda row: row.part.trials.judged if row.part.trials else 1)),
    Column("score_deviation", _if_judged(_deviation)),
    Column("finished_at", lambda row: row.part.finished_at),
    Column("reasoning", _reasoning),
    Column("evidence_ids", _of_score(lambda scored: " ".join(scored.evidence_ids))),
    Column("detail", lambda row: row.part.detail or None),
    Column("what_to_do", lambda row: row.part.reason.what_to_do if row.part.reason else None),
)

HEADER = line(["report_id", *(column.name for column in COLUMNS)])
