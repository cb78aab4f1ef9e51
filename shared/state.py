"""What is stored of a report: the plan, written once by the orchestrator, and the state, changed by the fold alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import JsonValue

from shared.evaluations import Count, Part, Value
from shared.messages import CriteriaSpec, Options, Period
from shared.vocabulary import Kind, Lane, PartStatus, Reason, Status


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


class Report(Value):
    """Where a report stands. Counts are of pieces; sums are whole numbers, so that the order of arrival is no matter.

    `score_sum_micro` adds the scores of `scored` pieces in millionths; `cost_nano` adds dollars in billionths, over all
    generations; `unpriced` says that some usage had no price. `ends_as` is how the evaluation was ended early, if so;
    `render_wanted` that somebody asked for the workbook of an ended report to be built again.
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
    pieces: Count = 0
    completed: Count = 0
    passed: Count = 0
    not_passed: Count = 0
    errored: Count = 0
    cancelled: Count = 0
    delayed: Count = 0
    overview_mode: Literal["concurrent", "synthesis"] | None = None
    overview: PartStatus | None = None
    overview_reason: Reason | None = None
    fail_fast: bool = False
    scored: Count = 0
    score_sum_micro: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0
    cost_nano: Count = 0
    unpriced: bool = False
    ends_as: Status | None = None
    reason: str | None = None
    render_failures: Count = 0
    render_wanted: bool = False
    workbook: StoredWorkbook | None = None
    accepted_at: datetime
    planned_at: datetime | None = None
    evaluated_at: datetime | None = None
    completed_at: datetime | None = None
    deadline_at: datetime


class Claim(NamedTuple):
    """Who is judging a part in a generation (the `key` names both), and until when nobody else is to begin."""

    key: str
    owner: str
    until: datetime


class Standing(NamedTuple):
    """How far a report is, in the least words: what an evaluator must know of it."""

    generation: int
    status: Status


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
