"""The contract on the wire: every message that crosses a room's border, frozen, versionless, unknown fields ignored.

One file although it is long: this is what other teams read. Times are UTC, scores run from 0 to 10, money is US
dollars.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, TypeAdapter

from shared.evaluations import (
    AgentEvaluation,
    Count,
    Criterion,
    EvidenceGroup,
    Judge,
    LanguageEvaluation,
    OverviewEvaluation,
    Parameters,
    PartResult,
    Trials,
    Usage,
    Value,
)
from shared.examples import example
from shared.vocabulary import Kind, Lane, OverviewMode, PartStatus, Reason, Role, Status

ReportId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", examples=["env-42-2026-11"])]


# --- requests: anyone → orchestrator ---


class Period(Value):
    """[from, to): a closed period. `to` defaults to the time of acceptance, `from` to the beginning."""

    from_: AwareDatetime | None = Field(None, alias="from")
    to: AwareDatetime | None = None


class CriteriaSpec(Value):
    """What to judge by. `agents` maps an agent's id, or `*` for every agent not named, to its criteria."""

    goal: str | None = None
    team: tuple[Criterion, ...] | None = None
    agents: Mapping[str, tuple[Criterion, ...]] = Field(default_factory=dict)


class Options(Value):
    """How to judge. `deadline_seconds` counts from acceptance; None means 900 s and 2 s more per part.

    `temperature`, `seed` and `max_output_tokens` are the judge's; what is None is left to the model's own default.
    """

    judge_model: str = Field("gpt-4o-mini", min_length=1)
    temperature: float | None = Field(None, ge=0, le=2)
    seed: int | None = None
    max_output_tokens: int | None = Field(None, gt=0)
    eval_timeout_seconds: float = Field(300, gt=0, description="per part, over all attempts")
    deadline_seconds: float | None = Field(None, gt=0)
    fail_fast: bool = Field(False, description="the first failed part ends the report as failed")
    telemetry: bool = True
    overview: OverviewMode = OverviewMode.AUTO
    coverage: Literal["budget", "full"] = "budget"
    trials: int = Field(1, ge=1, le=10, description="judgements per part: scores are their mean")
    cache: bool = Field(False, description="what was judged before, of the same content, is not paid for again")
    cost_limit_usd: float | None = Field(None, gt=0, description="once the judge has cost this, no part is begun")
    token_limit: int | None = Field(None, gt=0, description="the same for its tokens, input and output together")
    baseline: str | None = Field(
        None,
        description="a report_id to compare with, or `previous`: the last completed one of the same kind, subject and "
        "owner",
    )


class RunInput(Value):
    """One run of an agent. Only `run_id` is required; unknown fields are kept as evidence columns."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    run_id: str
    input: JsonValue = None
    output: JsonValue = None
    status: str | None = None
    duration_seconds: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    model: str | None = None
    started_at: AwareDatetime | None = None


class AgentInput(Value):
    """An agent with its runs."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    agent_id: str
    name: str | None = None
    description: str | None = None
    runs: tuple[RunInput, ...] = ()


class ReviewInput(Value):
    """A user's review. `rating` runs from 1 to 5; unknown fields are kept as evidence columns."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    review_id: str
    language: str
    text: str
    translation: str | None = None
    rating: float | None = None
    recommended: bool | None = None
    created_at: AwareDatetime | None = None


class InlineData(Value):
    """The evidence for those who have it at hand; otherwise it is read from the source database."""

    agents: tuple[AgentInput, ...] | None = None
    reviews: tuple[ReviewInput, ...] | None = None


class ReportSpec(Value):
    """What is asked for, without its type and id: the body of `POST /reports`. Ids may be numbers; they become text."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    kind: Kind
    title: str = ""
    environment_id: str | None = None
    app_id: str | None = None
    agent_ids: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    runs_per_agent: int = Field(20, ge=1)
    run_model: str | None = None
    period: Period = Period()
    criteria: CriteriaSpec = CriteriaSpec()
    options: Options = Options()
    metadata: Mapping[str, JsonValue] = Field(default_factory=dict, description="small; echoed in every status")
    data: InlineData | None = None
    data_sha256: str | None = Field(None, description="set by the gateway for inline data too large for a record")
    owner: str | None = Field(None, description="set by the gateway: the name of the key that asked")


class ReportRequested(ReportSpec):
    """Asks for a report."""

    model_config = ConfigDict(json_schema_extra=example("ReportRequested"))

    type: Literal["ReportRequested"] = "ReportRequested"
    report_id: ReportId


class CancelRequested(Value):
    """Asks to end a report; what has been judged still gets a workbook."""

    model_config = ConfigDict(json_schema_extra=example("CancelRequested"))

    type: Literal["CancelRequested"] = "CancelRequested"
    report_id: ReportId


class RetryRequested(Value):
    """Asks to judge errored and cancelled parts again as `generation`; `part_ids` None means all of them."""

    model_config = ConfigDict(json_schema_extra=example("RetryRequested"))

    type: Literal["RetryRequested"] = "RetryRequested"
    report_id: ReportId
    generation: int = Field(ge=2)
    part_ids: tuple[str, ...] | None = Field(None, max_length=1000)


class RenderRequested(Value):
    """Asks to build the workbook again from what is stored."""

    model_config = ConfigDict(json_schema_extra=example("RenderRequested"))

    type: Literal["RenderRequested"] = "RenderRequested"
    report_id: ReportId


Request = Annotated[ReportRequested | CancelRequested | RetryRequested | RenderRequested, Field(discriminator="type")]


# --- tasks: orchestrator, renderer → evaluators ---


class JudgeOptions(Value):
    """What the evaluator needs to know of the options. `timeout_seconds` is per judgement, over all attempts."""

    model: str
    timeout_seconds: float = 300
    parameters: Parameters = Parameters()
    trials: int = 1
    cache: bool = False


class EvaluationTask(Value):
    """One part to judge, with all that it needs: an evaluator is a function of the task. Below 900 kB of JSON.

    Pieces carry one evidence group, their own; a concurrent overview one per piece; a synthesis overview `results`.
    """

    model_config = ConfigDict(json_schema_extra=example("EvaluationTask"))

    type: Literal["EvaluationTask"] = "EvaluationTask"
    report_id: ReportId
    part_id: str
    generation: int = 1
    kind: Kind
    role: Role
    key: str
    name: str
    lane: Lane
    partition: Count = Field(0, description="(crc32(report_id) + index of the part) mod partitions of the lane")
    goal: str | None = None
    criteria: tuple[Criterion, ...] = ()
    evidence: tuple[EvidenceGroup, ...] = ()
    results: tuple[PartResult, ...] = ()
    results_total: Count = Field(0, description="how many there are; fewer are carried where the budget ends")
    judge: JudgeOptions
    prompt_version: str
    deadline_at: datetime


# --- events: everybody → renderer ---


class ReportAccepted(Value):
    """A readable request has arrived: the report exists, and its deadline is armed."""

    type: Literal["ReportAccepted"] = "ReportAccepted"
    report_id: ReportId
    kind: Kind
    title: str
    owner: str | None = None
    metadata: Mapping[str, JsonValue] = Field(default_factory=dict)
    content_sha256: str = Field("", description="of the request's fields as sent: what a repeat is compared with")
    accepted_at: datetime
    deadline_at: datetime


class ReportRejected(Value):
    """A request that could be read but not served, and why, in words."""

    type: Literal["ReportRejected"] = "ReportRejected"
    report_id: ReportId
    reason: str
    at: datetime


class ReportPlanned(Value):
    """The plan is stored: counts, not parts. `pieces` excludes the overview."""

    type: Literal["ReportPlanned"] = "ReportPlanned"
    report_id: ReportId
    generation: int = 1
    pieces: Count
    overview: Literal["concurrent", "synthesis"]
    lane: Lane
    fail_fast: bool = False
    token_limit: int | None = None
    cost_limit_usd: float | None = None
    part_ids: tuple[str, ...] | None = None
    planned_at: datetime
    deadline_at: datetime


class PartEvaluated(Value):
    """A part was judged; score and verdict are computed from the judge's scores by criterion."""

    model_config = ConfigDict(json_schema_extra=example("PartEvaluated"))

    type: Literal["PartEvaluated"] = "PartEvaluated"
    report_id: ReportId
    part_id: str
    generation: int
    evaluation: AgentEvaluation | LanguageEvaluation | OverviewEvaluation
    score: float | None = Field(None, ge=0, le=10)
    passed: bool | None = None
    usage: Usage = Usage()
    trials: Trials | None = Field(None, description="where it was judged several times: scores are means")
    saved: Usage | None = Field(None, description="where it was judged before: what that cost, in `attempts`")
    attempts: int = Field(ge=1)
    seconds: float = Field(ge=0)
    finished_at: datetime
    judge: Judge


class PartFailed(Value):
    """A part could not be judged. Failed calls cost money too, so usage is said here as well."""

    model_config = ConfigDict(json_schema_extra=example("PartFailed"))

    type: Literal["PartFailed"] = "PartFailed"
    report_id: ReportId
    part_id: str
    generation: int
    reason: Reason
    detail: str
    attempts: Count
    retryable: bool
    usage: Usage = Usage()
    seconds: float = Field(ge=0)
    first_failed_at: datetime | None = None
    finished_at: datetime


class PartDelayed(Value):
    """A part waits for its next attempt at `retry_at`: it is not stuck."""

    type: Literal["PartDelayed"] = "PartDelayed"
    report_id: ReportId
    part_id: str
    generation: int
    reason: Reason
    attempts: int
    retry_at: datetime


class DeadlinePassed(Value):
    """The clock's word that a report's time is up: what has not arrived is a failed part."""

    type: Literal["DeadlinePassed"] = "DeadlinePassed"
    report_id: ReportId
    generation: int
    at: datetime


class ReportCancelled(Value):
    """Somebody ended the report: parts without an outcome are cancelled."""

    type: Literal["ReportCancelled"] = "ReportCancelled"
    report_id: ReportId
    generation: int
    at: datetime


class WorkbookRendered(Value):
    """The workbook of a generation is stored."""

    type: Literal["WorkbookRendered"] = "WorkbookRendered"
    report_id: ReportId
    generation: int
    file_id: str
    sha256: str
    bytes: Count
    seconds: float
    at: datetime


class RenderFailed(Value):
    """The workbook could not be built; after the third time the report has failed."""

    type: Literal["RenderFailed"] = "RenderFailed"
    report_id: ReportId
    generation: int
    attempt: int
    detail: str
    at: datetime


Outcome = PartEvaluated | PartFailed
Event = Annotated[
    ReportAccepted
    | ReportRejected
    | ReportPlanned
    | PartEvaluated
    | PartFailed
    | PartDelayed
    | DeadlinePassed
    | ReportCancelled
    | RenderRequested
    | WorkbookRendered
    | RenderFailed,
    Field(discriminator="type"),
]


# --- status: renderer → everyone ---


class Counts(Value):
    """The pieces by where they stand; `passed` and `not_passed` for agents only."""

    total: Count = 0
    completed: Count = 0
    passed: Count | None = None
    not_passed: Count | None = None
    errored: Count = 0
    cancelled: Count = 0
    delayed: Count = 0
    pending: Count = 0


class OverviewStatus(Value):
    """Where the overview stands, and why if it failed."""

    status: PartStatus
    reason: Reason | None = None


class Saved(Value):
    """What was judged before and not paid for again: parts, and what judging them had cost."""

    parts: Count = 0
    usage: Usage = Usage()


class Workbook(Value):
    """The stored file."""

    sha256: str
    bytes: Count
    href: str = ""


class ReportStatus(Value):
    """The latest state of a report. `version` grows with every change: ignore what is lower than what you have."""

    model_config = ConfigDict(json_schema_extra=example("ReportStatus"))

    type: Literal["ReportStatus"] = "ReportStatus"
    report_id: ReportId
    version: Count
    generation: int
    kind: Kind
    title: str
    owner: str | None = None
    metadata: Mapping[str, JsonValue] = Field(default_factory=dict)
    status: Status
    progress: float = Field(ge=0, le=100)
    current_step: str
    counts: Counts
    overview: OverviewStatus | None = None
    score: float | None = Field(None, description="mean of the scored agents")
    usage: Usage = Usage()
    saved: Saved | None = None
    accepted_at: datetime | None = None
    planned_at: datetime | None = None
    evaluated_at: datetime | None = None
    completed_at: datetime | None = None
    seconds: float | None = None
    deadline_at: datetime | None = None
    reason: str | None = None
    workbook: Workbook | None = None


REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def part_id(report_id: str, role: Role, key: str) -> str:
    """The id that joins a result to its part: `{report_id}/{role}/{key}`."""
    return f"{report_id}/{role}/{key}"


PREVIOUS = "previous"
"""The baseline that names no report: the last completed one of the same kind, subject and owner."""

PROMPT_VERSION = "2"
"""The wording that tasks are planned for; grows when it changes."""

SCHEMA_VERSION = "1"
"""The form of the judge's answers; grows when it changes."""
