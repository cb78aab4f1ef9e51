"""The field's closed sets: kinds, roles, statuses, lanes and failure reasons, one enum each, used everywhere."""

from enum import StrEnum


class Kind(StrEnum):
    """What a report is about."""

    AGENTS = "agents"
    REVIEWS = "reviews"


class Role(StrEnum):
    """What a part judges: one agent, one language, or the whole (the overview)."""

    AGENT = "agent"
    LANGUAGE = "language"
    OVERVIEW = "overview"


PIECE_ROLE = {Kind.AGENTS: Role.AGENT, Kind.REVIEWS: Role.LANGUAGE}
"""The role of a report's pieces: its parts without the overview."""


class Status(StrEnum):
    """Where a report stands."""

    ACCEPTED = "accepted"
    EVALUATING = "evaluating"
    RENDERING = "rendering"
    COMPLETED = "completed"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """No event but a retry or a render request moves the report on."""
        return self not in {Status.ACCEPTED, Status.EVALUATING, Status.RENDERING}


class PartStatus(StrEnum):
    """Where a part stands. A delayed part is a pending one whose next attempt has a known time."""

    PENDING = "pending"
    DELAYED = "delayed"
    COMPLETED = "completed"
    ERRORED = "errored"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Its outcome is still to come."""
        return self in {PartStatus.PENDING, PartStatus.DELAYED}


class Lane(StrEnum):
    """Which topic a task travels in: reports of many parts do not make the small ones wait."""

    SMALL = "small"
    BULK = "bulk"


class OverviewMode(StrEnum):
    """When the overview is judged: with the pieces, after them, or as fits the kind."""

    AUTO = "auto"
    CONCURRENT = "concurrent"
    SYNTHESIS = "synthesis"


class Sentiment(StrEnum):
    """How a language's reviews sound as a whole."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    MIXED = "mixed"
    NEUTRAL = "neutral"


class Sign(StrEnum):
    """What makes evidence look as if it were written to steer its judge."""

    ORDERS = "gives the judge orders"
    ASKS_FOR_SCORE = "asks for a score"
    FORGED_FENCE = "imitates the prompt's fences"
    FALSE_SPEAKER = "poses as another speaker"
    HIDDEN_TEXT = "hidden characters"
    REORDERED_TEXT = "reordered text"
    LOOKALIKES = "look-alike letters"


class Reason(StrEnum):
    """Why a part failed."""

    RATE_LIMITED = "rate_limited"
    TIMED_OUT = "timed_out"
    PROVIDER_ERROR = "provider_error"
    AUTH_FAILED = "auth_failed"
    QUOTA_EXHAUSTED = "quota_exhausted"
    MODEL_UNAVAILABLE = "model_unavailable"
    CONTEXT_TOO_LONG = "context_too_long"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    INVALID_OUTPUT = "invalid_output"
    NO_DATA = "no_data"
    DEADLINE_PASSED = "deadline_passed"
    BUDGET_EXHAUSTED = "budget_exhausted"
    CANCELLED = "cancelled"
    INTERNAL = "internal"

    @property
    def is_retryable(self) -> bool:
        """The same call can succeed later without anybody changing the input."""
        return self in _RETRYABLE

    @property
    def what_to_do(self) -> str:
        """One line for the reader of the workbook."""
        return _WHAT_TO_DO[self]


_RETRYABLE = frozenset(
    {
        Reason.RATE_LIMITED,
        Reason.TIMED_OUT,
        Reason.PROVIDER_ERROR,
        Reason.TRUNCATED,
        Reason.INVALID_OUTPUT,
        Reason.DEADLINE_PASSED,
        Reason.CANCELLED,
    }
)

_WHAT_TO_DO = {
    Reason.RATE_LIMITED: "Retry the failed parts later, or lower the number of calls at once.",
    Reason.TIMED_OUT: "Retry the failed parts; if it happens again, allow more time per part.",
    Reason.PROVIDER_ERROR: "The judge's service had a fault: retry the failed parts later.",
    Reason.AUTH_FAILED: "Check the API key and its permissions, then retry the failed parts.",
    Reason.QUOTA_EXHAUSTED: "Top up the judge's account or raise its limit, then retry the failed parts.",
    Reason.MODEL_UNAVAILABLE: "Check the name of the judge model and access to it, then send a new request.",
    Reason.CONTEXT_TOO_LONG: "Ask for fewer runs or a shorter period, or choose a judge with a larger context.",
    Reason.REFUSED: "The judge declined to answer: read the evidence, or choose another judge model.",
    Reason.TRUNCATED: "The judge's answer was cut off: retry, or choose a model with a longer output.",
    Reason.INVALID_OUTPUT: "The judge's answer broke the agreed form twice: retry, or choose another model.",
    Reason.NO_DATA: "There was nothing to judge: check the period and the source.",
    Reason.DEADLINE_PASSED: "The report's time was up: retry the failed parts, or allow a later deadline.",
    Reason.BUDGET_EXHAUSTED: "The report's cost or token limit was reached: raise it and send a new request.",
    Reason.CANCELLED: "The report was ended before this part was judged: retry it if it is still wanted.",
    Reason.INTERNAL: "A fault in Assay itself: tell its operators, with the part's id.",
}
