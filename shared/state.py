"""What is stored of a report: the plan, written once by the orchestrator, and the state, changed by the fold alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import JsonValue

from shared.evaluations import Count, Part, Value
from shared.messages import CriteriaSpec, Options, Period
from shared.vocabulary import Kind, Lane, PartStatus, Reason, Status


class Baseline(Value):
    """The report that another is compared with, as it stood at planning. Its parts are stored by the plan's token."""

    report_id: str
    generation: int
    title: str
    subject: str
    period: Period
    judge_model: str
    prompt_version: str
    runs_per_agent: int = 20
    run_model: str | None = None
    goal: str | None = None


class Plan(Value):
    """What was decided about a request. `content_sha256` is the hash of the fields as sent; `period` is closed.

    `token` names the attempt at planning that won: its tasks and its evidence are stored under it. `columns` are the
    evidence's fields in the order of the data sheet; `notes` say in words what the reader should know;
    `without_data` pieces have no rows, so no task; `signs` counts suspicious rows by what is suspicious in them;
    `evidence_tokens` is what the evidence of one task may take of the judge's window, as reckoned.
    """

    report_id: str
    token: str
    content_sha256: str
    kind: Kind
    title: str
    owner: str | None = None
    metadata: Mapping[str, JsonValue] = {}
    subject: str
    period: Period
    criteria: CriteriaSpec
    options: Options
    run_model: str | None = None
    runs_per_agent: int = 20
    pieces: Count
    overview: Literal["concurrent", "synthesis"]
    lane: Lane
    prompt_version: str
    rows: Count
    without_data: Count = 0
    baseline: Baseline | None = None
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    signs: Mapping[str, Count] = {}
    evidence_tokens: Count = 0
    accepted_at: datetime
    planned_at: datetime
    deadline_at: datetime


class StoredWorkbook(Value):
    """A workbook in the file store."""

    file_id: str
    sha256: str
    bytes: Count
    generation: int


class Reached(Value):
    """How far the pieces of a report have come in a generation, and when.

    Counts are of pieces; `score_sum_micro` adds the scores of `scored` of them in millionths.
    """

    reason: str | None = None
    pieces: Count = 0
    completed: Count = 0
    passed: Count = 0
    not_passed: Count = 0
    errored: Count = 0
    cancelled: Count = 0
    overview: PartStatus | None = None
    scored: Count = 0
    score_sum_micro: Count = 0
    planned_at: datetime | None = None
    evaluated_at: datetime | None = None
    completed_at: datetime | None = None
    workbook: StoredWorkbook | None = None


class Generation(Reached):
    """One generation of a report. What a retry begins is the next one; this one is kept.

    `workbook` is None where none was built for this generation.
    """

    generation: int
    status: Status


class Report(Reached):
    """Where a report stands. Sums are whole numbers, so that the order of arrival is no matter.

    `cost_nano` adds dollars in billionths, over all
    generations; `unpriced` says that some usage had no price. `exhausted` says which limit was reached, in words, and
    is empty while none is: from then on evaluators fail what they have not begun. `recalled` parts were judged before
    and not paid for; the `saved_` sums say what they had cost. `ends_as` is how the evaluation was ended early, if so;
    `render_wanted` that somebody asked for the workbook of an ended report to be built again. `workbook` is the latest
    there is; `earlier` are the generations before this one, the last fifty of them.
    """

    report_id: str
    version: Count = 0
    generation: int = 1
    kind: Kind
    title: str
    owner: str | None = None
    metadata: Mapping[str, JsonValue] = {}
    content_sha256: str = ""
    status: Status = Status.ACCEPTED
    delayed: Count = 0
    overview_mode: Literal["concurrent", "synthesis"] | None = None
    overview_reason: Reason | None = None
    fail_fast: bool = False
    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0
    reasoning_tokens: Count = 0
    cost_nano: Count = 0
    unpriced: bool = False
    recalled: Count = 0
    saved_input_tokens: Count = 0
    saved_output_tokens: Count = 0
    saved_cost_nano: Count = 0
    saved_unpriced: bool = False
    token_limit: int | None = None
    cost_limit_usd: float | None = None
    exhausted: str = ""
    ends_as: Status | None = None
    render_failures: Count = 0
    render_wanted: bool = False
    earlier: tuple[Generation, ...] = ()
    accepted_at: datetime
    deadline_at: datetime

    @property
    def generations(self) -> tuple[Generation, ...]:
        """All that are known, the present one last."""
        now = Generation.model_validate(self, from_attributes=True)
        if now.workbook is not None and now.workbook.generation != self.generation:
            now = now.model_copy(update={"workbook": None})  # the latest there is belongs to an earlier one
        return (*self.earlier, now)


class EarlierResult(NamedTuple):
    """What a part had come to in a generation, before a retry opened it again."""

    part_id: str
    generation: int
    status: PartStatus
    reason: Reason | None


class Claim(NamedTuple):
    """Who is judging a part in a generation (the `key` names both), and until when nobody else is to begin."""

    key: str
    owner: str
    until: datetime


class Standing(NamedTuple):
    """How far a report is, in the least words: what an evaluator must know of it.

    `exhausted` says that it has reached its cost or token limit: what has not begun is not to be begun.
    """

    generation: int
    status: Status
    exhausted: bool = False


class Sweep(NamedTuple):
    """What becomes of every part of the report that is still open."""

    status: PartStatus
    reason: Reason
    detail: str
    retryable: bool
    at: datetime


class Change(NamedTuple):
    """What a fold step writes, in this order.

    First every errored or cancelled piece is opened again for the generation `reopen`, if there is one; then the parts
    that changed and the report are written; then `sweep` says what becomes of the parts that are still open.
    """

    report: Report
    parts: tuple[Part, ...] = ()
    sweep: Sweep | None = None
    reopen: int | None = None
