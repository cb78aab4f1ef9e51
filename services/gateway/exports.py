"""Decides what `results.json` holds: what the workbook says of a report and its parts, for programs."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping
from datetime import datetime

from pydantic import Field, JsonValue

from shared.evaluations import Count, Coverage, Criterion, Evaluation, Facts, Judge, Part, Score, Trials, Usage, Value
from shared.messages import CriteriaSpec, Options, Period
from shared.state import Baseline, Generation, Plan
from shared.statuses import headline_score
from shared.vocabulary import Kind, PartStatus, Reason, Role, Status


class ResultPart(Value):
    """A part with all that became of it. `passed` is None where nothing was judged; `what_to_do` goes with a reason."""

    part_id: str
    role: Role
    key: str
    name: str
    description: str | None
    generation: int = Field(description="the one that gave this outcome")
    status: PartStatus
    score: Score | None
    passed: bool | None
    reason: Reason | None
    detail: str
    what_to_do: str | None
    retryable: bool
    criteria: tuple[Criterion, ...]
    evaluation: Evaluation | None
    facts: Facts
    coverage: Coverage
    attempts: Count
    seconds: float
    usage: Usage
    saved: Usage | None
    trials: Trials | None
    judge: Judge | None
    finished_at: datetime | None


class ResultHead(Value):
    """A report at the end of a generation: all but its parts. `score` is the mean of the scored agents."""

    report_id: str
    kind: Kind
    title: str
    subject: str
    owner: str | None
    metadata: Mapping[str, JsonValue]
    generation: int
    status: Status
    reason: str | None
    score: float | None
    pieces: Count
    completed: Count
    errored: Count
    cancelled: Count
    period: Period
    criteria: CriteriaSpec
    options: Options
    prompt_version: str
    notes: tuple[str, ...]
    baseline: Baseline | None
    accepted_at: datetime
    planned_at: datetime | None
    evaluated_at: datetime | None
    completed_at: datetime | None


class ResultDocument(ResultHead):
    """`results.json`: what the workbook says of the parts, for programs. The evidence itself is not in it."""

    parts: tuple[ResultPart, ...]


def head_of(plan: Plan, generation: Generation) -> ResultHead:
    """The report at the end of a generation."""
    taken = {name: getattr(plan, name) for name in ResultHead.model_fields if name in Plan.model_fields}
    reached = {name: getattr(generation, name) for name in ResultHead.model_fields if name in Generation.model_fields}
    return ResultHead.model_validate({**taken, **reached, "score": headline_score(generation)})


async def as_json(head: ResultHead, parts: AsyncIterable[Part]) -> AsyncIterator[str]:
    """A ResultDocument, piece by piece: a report of any size takes the memory of one part."""
    yield head.model_dump_json(by_alias=True)[:-1] + ',"parts":['
    separator = "\n"
    async for part in parts:
        yield separator + _result_part(part).model_dump_json()
        separator = ",\n"
    yield "\n]}\n"


def _result_part(part: Part) -> ResultPart:
    result = ResultPart.model_validate({**dict(part), "what_to_do": part.reason.what_to_do if part.reason else None})
    if part.status is PartStatus.COMPLETED:
        return result
    return result.model_copy(update={"evaluation": None, "score": None, "passed": None})  # of a result replaced since
