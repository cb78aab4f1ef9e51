"""What the judge is shown: rows frozen from runs and reviews, cut to a counted budget, and the facts beside them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import fsum, isfinite
from typing import NamedTuple, Protocol

from pydantic_core import to_json

from services.orchestrator.choosing import FAILED, SUCCEEDED, UNKNOWN, Candidate, fair_order
from services.orchestrator.signs import signs_of
from services.orchestrator.tokens import Budget, estimated_tokens
from shared.evaluations import Coverage, EvidenceRow, Facts, FrozenRow, Scalar
from shared.messages import ReviewInput, RunInput

SUCCEEDED_RUNS = frozenset(
    {"success", "succeeded", "successful", "completed", "complete", "ok", "passed", "done", "solved"}
)
FAILED_RUNS = frozenset(
    {"failed", "failure", "error", "errored", "timeout", "timed_out", "cancelled", "aborted", "crashed"}
)
POSITIVE_RATING = 4.0  # of 5
HIDDEN = "label_"  # columns with the truth that a judge is measured against: in the data sheet, never in a prompt
CUT_MARK = "… [{} characters left out]"
NEGATIVE_RATING = 2.0  # of 5
ROW_TOKENS = 5  # its number and its line
ROW_OVERHEAD = 24  # the row's own punctuation in the task, in bytes


class Shown(NamedTuple):
    """A row as a judge may see it: without hidden columns, shortened if it was too long.

    `size` is in bytes of JSON, `tokens` what it takes of the judge's window.
    """

    row: EvidenceRow
    size: int
    tokens: int
    shortened: bool


class Cut(NamedTuple):
    """The rows a task carries and how much of the whole they are.

    `used` are their places in the whole.
    """

    rows: tuple[EvidenceRow, ...]
    coverage: Coverage
    used: frozenset[int]


def run_row(run: RunInput) -> EvidenceRow:
    """A run as evidence, its known fields first."""
    return EvidenceRow(id=run.run_id, values=_values(run.model_dump(exclude={"run_id"})))


def review_row(review: ReviewInput) -> EvidenceRow:
    """A review as evidence; its language is its group's key."""
    return EvidenceRow(id=review.review_id, values=_values(review.model_dump(exclude={"review_id", "language"})))


def _values(fields: dict[str, object]) -> dict[str, Scalar]:
    return {name: _scalar(value) for name, value in fields.items() if value is not None}


def _scalar(value: object) -> Scalar:
    match value:
        case float() if not isfinite(value):
            return str(value)
        case str() | bool() | int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case dict() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def run_facts(runs: Sequence[RunInput]) -> Facts:
    """What is known of an agent's runs without a judge."""
    ends = [run.status.strip().lower() for run in runs if run.status]
    seconds = [run.duration_seconds for run in runs if run.duration_seconds is not None]
    tokens = [run.tokens for run in runs if run.tokens is not None]
    costs = [run.cost_usd for run in runs if run.cost_usd is not None]
    return Facts(
        rows=len(runs),
        finished=sum(end in SUCCEEDED_RUNS or end in FAILED_RUNS for end in ends),
        succeeded=sum(end in SUCCEEDED_RUNS for end in ends),
        mean_seconds=_mean(seconds),
        tokens=sum(tokens) if tokens else None,
        cost_usd=round(fsum(costs), 6) if costs else None,
    )


class Rated(Protocol):
    """What a review says in numbers."""

    @property
    def rating(self) -> float | None:
        """1 to 5."""

    @property
    def recommended(self) -> bool | None:
        """Whether the user recommends the app."""


class Rating(NamedTuple):
    """What is kept of a review that has become a row."""

    rating: float | None
    recommended: bool | None


def review_facts(reviews: Sequence[Rated]) -> Facts:
    """What is known of a language's reviews without a judge: a rating counts before a recommendation."""
    ratings = [review.rating for review in reviews if review.rating is not None]
    recommended = [review.recommended for review in reviews if review.rating is None and review.recommended is not None]
    return Facts(
        rows=len(reviews),
        rated=len(ratings) + len(recommended),
        positive=sum(rating >= POSITIVE_RATING for rating in ratings) + sum(recommended),
        mean_rating=_mean(ratings),
    )


def _mean(values: Sequence[float]) -> float | None:
    return round(fsum(values) / len(values), 4) if values else None


def shown(rows: Sequence[EvidenceRow], row_bytes: int) -> list[Shown]:
    """The rows as a judge may see them, each within `row_bytes` of JSON."""
    return [_within(row, row_bytes) for row in rows]


def fits(rows: Sequence[Shown], budget: Budget) -> bool:
    """Nothing has to be left out."""
    return sum(row.size for row in rows) <= budget.size and sum(row.tokens for row in rows) <= budget.tokens


def cut(rows: Sequence[Shown], total: int, budget: Budget) -> Cut:
    """As many rows as fit, chosen fairly, in their order; `total` is how many there were at first."""
    taken = set(range(len(rows))) if fits(rows, budget) else _chosen(rows, budget)
    chosen = [rows[place] for place in sorted(taken)]
    shortened = sum(row.shortened for row in chosen)
    coverage = Coverage(total=max(total, len(rows)), used=len(chosen), shortened=shortened)
    return Cut(tuple(row.row for row in chosen), coverage, frozenset(taken))


def _chosen(rows: Sequence[Shown], budget: Budget) -> set[int]:
    taken: set[int] = set()
    size, tokens = budget
    for place in fair_order([_candidate(row) for row in rows]):
        row = rows[place]
        if row.size <= size and row.tokens <= tokens:
            taken.add(place)
            size, tokens = size - row.size, tokens - row.tokens
    return taken


def _candidate(shown: Shown) -> Candidate:
    values = shown.row.values
    return Candidate(_outcome(values), str(values.get("started_at") or values.get("created_at") or ""), shown.size)


def _outcome(values: Mapping[str, Scalar]) -> str:
    """How a run ended; how a review was meant by its own rating or recommendation."""
    status, rating, recommended = values.get("status"), values.get("rating"), values.get("recommended")
    if isinstance(status, str):
        end = status.strip().lower()
        return FAILED if end in FAILED_RUNS else SUCCEEDED if end in SUCCEEDED_RUNS else UNKNOWN
    if isinstance(rating, int | float):
        return SUCCEEDED if rating >= POSITIVE_RATING else FAILED if rating <= NEGATIVE_RATING else UNKNOWN
    if isinstance(recommended, bool):
        return SUCCEEDED if recommended else FAILED
    return UNKNOWN


def frozen(key: str, rows: Iterable[EvidenceRow], used: frozenset[int]) -> list[FrozenRow]:
    """The rows as the data sheet lists them, whole, with what is suspicious in them."""
    return [FrozenRow(key=key, row=row, used=place in used, signs=signs_of(row)) for place, row in enumerate(rows)]


def _within(row: EvidenceRow, row_bytes: int) -> Shown:
    """The row within its size: its long texts are cut to one length, with a mark that counts what is gone."""
    values = {name: value for name, value in row.values.items() if not name.startswith(HIDDEN)}
    sizes = {name: len(to_json(value)) for name, value in values.items()}
    size = _row_size(row.id, sizes)
    if size <= row_bytes:
        whole = row if len(values) == len(row.values) else EvidenceRow(id=row.id, values=values)  # not twice in memory
        return _seen(whole, size, shortened=False)
    room = row_bytes - _row_size(row.id, dict.fromkeys(sizes, 0))
    while room > 0:
        longest = _longest(list(sizes.values()), room)
        smaller = {name: _cut_text(value, sizes[name], longest) for name, value in values.items()}
        size = _row_size(row.id, {name: len(to_json(value)) for name, value in smaller.items()})
        if size <= row_bytes:
            return _seen(EvidenceRow(id=row.id, values=smaller), size, shortened=True)
        room = room * 9 // 10 - len(CUT_MARK)  # a text whose end is denser than its beginning came out longer
    return _seen(EvidenceRow(id=row.id, values={}), _row_size(row.id, {}), shortened=True)


def _seen(row: EvidenceRow, size: int, *, shortened: bool) -> Shown:
    return Shown(row, size, estimated_tokens(to_json(row.values)) + ROW_TOKENS, shortened)


def _row_size(row_id: str, sizes: dict[str, int]) -> int:
    """Bytes of the row's JSON in a task."""
    return ROW_OVERHEAD + len(to_json(row_id)) + sum(len(to_json(name)) + 2 + size for name, size in sizes.items())


def _longest(sizes: Sequence[int], room: int) -> int:
    """The largest size such that all sizes, cut to it, fit the room together."""
    left = room
    for place, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - place)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)


def _cut_text(value: Scalar, size: int, longest: int) -> Scalar:
    """A text of `size` bytes as JSON, cut to about `longest` with its mark; everything else as it is."""
    if not isinstance(value, str) or size <= longest:
        return value
    kept = max(0, len(value) * (longest - 2 * len(CUT_MARK)) // size)
    return value[:kept] + CUT_MARK.format(len(value) - kept)
