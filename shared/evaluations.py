"""What is judged and what comes back: criteria, evidence, evaluations, usage; frozen, on the wire and in the store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.vocabulary import PartStatus, Reason, Role, Sentiment

Scalar = str | int | float | bool | None
Score = Annotated[float, Field(ge=0, le=10, description="0 (worst) to 10 (best)")]
Count = Annotated[int, Field(ge=0)]


class Value(BaseModel):
    """A frozen value. Unknown fields are ignored, so that two releases can run side by side."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, populate_by_name=True)


class Criterion(Value):
    """One thing a judge scores from 0 to 10. Weights need not sum to 1; planning refuses what cannot be weighed."""

    name: str
    description: str = ""
    weight: float = 1.0
    threshold: float = Field(7.0, description="the lowest passing score, 0 to 10")


class EvidenceRow(Value):
    """One run or review as frozen at planning: its id and its fields in the order the reader should see them."""

    id: str
    values: Mapping[str, Scalar]


class FrozenRow(Value):
    """A row with the key of its piece; `used` says whether the judge was shown it, `signs` what is suspicious in it."""

    key: str
    row: EvidenceRow
    used: bool = True
    signs: tuple[str, ...] = ()


class Coverage(Value):
    """How much of the evidence the judge saw: `used` of `total` rows, `shortened` of the used ones cut.

    `suspicious` of all frozen rows bear signs of having been written to steer the judge.
    """

    total: Count = 0
    used: Count = 0
    shortened: Count = 0
    suspicious: Count = 0


class Untraced(Value):
    """How many runs have no trace for one and the same reason."""

    why: str
    runs: Count = 0


class Telemetry(Value):
    """What the traces of an agent's runs say together. `errors` are spans that ended in one, tools' own included."""

    traced: Count = 0
    tool_calls: Count = 0
    tool_errors: Count = 0
    errors: Count = 0
    mean_seconds: float | None = None
    untraced: tuple[Untraced, ...] = ()


class Facts(Value):
    """What is known of a piece without a judge. A field is None where the evidence does not say it.

    `positive` of `rated` reviews are positive by their own rating (4 or 5 of 5) or recommendation; `succeeded` of
    `finished` runs ended well by their own status. Cost and tokens are those of the agent's runs, not the judge's.
    `telemetry` is None where no traces were asked for.
    """

    rows: Count = 0
    finished: Count = 0
    succeeded: Count = 0
    rated: Count = 0
    positive: Count = 0
    mean_rating: float | None = None
    mean_seconds: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    telemetry: Telemetry | None = None


class EvidenceGroup(Value):
    """The evidence of one piece: what its task carries, or one of many in a concurrent overview's task."""

    key: str
    name: str
    description: str | None = None
    facts: Facts = Facts()
    coverage: Coverage = Coverage()
    rows: tuple[EvidenceRow, ...] = ()


class CriterionScore(Value):
    """The judge's word on one criterion; `score` is None where the evidence did not let it judge."""

    name: str
    score: Score | None
    reasoning: str = ""
    evidence_ids: tuple[str, ...] = ()


class Theme(Value):
    """Something several reviews say. `mentions` is the number of distinct reviews cited, counted in code."""

    text: str
    mentions: Count = 0
    review_ids: tuple[str, ...] = ()


class SharedTheme(Value):
    """A theme that more than one language has in common; `keys` are the languages."""

    text: str
    keys: tuple[str, ...] = ()


class AgentEvaluation(Value):
    """The verdict on one agent."""

    criteria: tuple[CriterionScore, ...]
    reasoning: str
    strengths: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()


class LanguageEvaluation(Value):
    """What the reviews of one language say. A review in none of the three id lists was read as neutral."""

    sentiment: Sentiment
    summary: str
    positive_themes: tuple[Theme, ...] = ()
    negative_themes: tuple[Theme, ...] = ()
    feature_requests: tuple[Theme, ...] = ()
    bug_reports: tuple[Theme, ...] = ()
    positive_ids: tuple[str, ...] = ()
    negative_ids: tuple[str, ...] = ()
    mixed_ids: tuple[str, ...] = ()


class OverviewEvaluation(Value):
    """The verdict on the whole: the team's criteria for agents, the themes across languages for reviews."""

    executive_summary: str
    reasoning: str = ""
    criteria: tuple[CriterionScore, ...] = ()
    themes: tuple[SharedTheme, ...] = ()
    recommendations: tuple[str, ...] = ()


Evaluation = AgentEvaluation | LanguageEvaluation | OverviewEvaluation


class Usage(Value):
    """Tokens as the judge's API counted them. `cost_usd` is None where the price table has no price for the model.

    Cached tokens are among the input, reasoning tokens among the output: a sum counts neither of them again.
    """

    model: str | None = None
    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0
    reasoning_tokens: Count = 0
    cost_usd: float | None = None


class Parameters(Value):
    """How the judge's model is to answer; what is None is not sent, so the model's own default holds."""

    temperature: float | None = None
    seed: int | None = None
    max_output_tokens: int | None = None


class Spread(Value):
    """A score over several judgements: `judged` of them gave one; `deviation` is the sample's standard deviation."""

    name: str
    judged: Count = 0
    mean: Score | None = None
    deviation: float | None = None
    lowest: Score | None = None
    highest: Score | None = None


class Trials(Value):
    """How several judgements of one part agree: `judged` of `asked` came to a result, the others failed.

    `agreement` is the share of a language's judgements that found the sentiment which is given, 0 to 1.
    """

    asked: Count = 0
    judged: Count = 0
    failed: tuple[Reason, ...] = ()
    score: Spread | None = None
    criteria: tuple[Spread, ...] = ()
    agreement: float | None = None


class Judge(Value):
    """Who judged, and how: the model as it answered, the versions of prompt, answer's form and prices, parameters."""

    model: str
    prompt_version: str
    schema_version: str = ""
    parameters: Parameters = Parameters()
    prices: str = ""


class PartResult(Value):
    """What a synthesis overview is told of a piece: its computed result, or why there is none."""

    key: str
    name: str
    status: PartStatus
    reason: Reason | None = None
    score: Score | None = None
    passed: bool | None = None
    facts: Facts = Facts()
    criteria: tuple[CriterionScore, ...] = ()
    sentiment: Sentiment | None = None
    text: str = Field("", description="the judge's reasoning or summary, shortened to the task's budget")
    points: tuple[str, ...] = Field((), description="weaknesses, requests and bugs, shortened likewise")


class Part(Value):
    """A part as stored: planned by the orchestrator, afterwards changed by the renderer's fold alone.

    `score` is the weighted mean of the judged criteria, 0 to 10; `passed` is None for languages and where a criterion
    could not be judged. `saved` says that it was judged before, and what that cost. `reason`, `detail` and `retryable`
    belong to errored and cancelled parts; of a delayed one, `reason` says why it waits. `seconds` is the time of all
    attempts of the generation that gave the result.
    """

    part_id: str
    report_id: str
    role: Role
    key: str
    name: str
    description: str | None = None
    index: Count = 0
    stage: Count = 0
    criteria: tuple[Criterion, ...] = ()
    facts: Facts = Facts()
    coverage: Coverage = Coverage()
    generation: int = 1
    status: PartStatus = PartStatus.PENDING
    score: Score | None = None
    passed: bool | None = None
    evaluation: AgentEvaluation | LanguageEvaluation | OverviewEvaluation | None = None
    reason: Reason | None = None
    detail: str = ""
    retryable: bool = False
    attempts: Count = 0
    seconds: float = 0.0
    usage: Usage = Usage()
    saved: Usage | None = None
    trials: Trials | None = None
    judge: Judge | None = None
    first_failed_at: datetime | None = None
    finished_at: datetime | None = None
    retry_at: datetime | None = None
