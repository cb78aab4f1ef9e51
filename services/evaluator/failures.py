"""Which of the closed reasons a call without a usable answer is, and whether the same call may succeed later.

What to do about each reason is said in one place, `Reason.what_to_do`. `again` is about the same call in a moment;
`Reason.is_retryable` is about the part on another day, which is a person's decision.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from services.evaluator.calls import Failure
from services.evaluator.hints import headroom, wait_asked_for
from shared.evaluations import Usage
from shared.vocabulary import Reason

DETAIL_CHARACTERS = 500
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


class ErrorAnswer(NamedTuple):
    """An HTTP answer that is an error, in OpenAI's terms; header names are in lower case."""

    status: int
    code: str | None
    kind: str | None
    message: str
    headers: Mapping[str, str]


class _Verdict(NamedTuple):
    reason: Reason
    again: bool = False


_BY_CODE = {
    "insufficient_quota": Reason.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": Reason.QUOTA_EXHAUSTED,
    "billing_not_active": Reason.QUOTA_EXHAUSTED,
    "invalid_api_key": Reason.AUTH_FAILED,
    "model_not_found": Reason.MODEL_UNAVAILABLE,
    "context_length_exceeded": Reason.CONTEXT_TOO_LONG,
    "string_above_max_length": Reason.CONTEXT_TOO_LONG,
    "content_filter": Reason.REFUSED,
    "content_policy_violation": Reason.REFUSED,
}
_BY_WORDS = {  # of servers that give no code of their own
    "maximum context length": Reason.CONTEXT_TOO_LONG,  # vLLM and others, with status 400
    "request too large": Reason.CONTEXT_TOO_LONG,  # OpenAI, as a 429: one call above what a whole minute allows
}
_BY_STATUS = {
    401: _Verdict(Reason.AUTH_FAILED),
    402: _Verdict(Reason.QUOTA_EXHAUSTED),
    403: _Verdict(Reason.AUTH_FAILED),
    404: _Verdict(Reason.MODEL_UNAVAILABLE),
    408: _Verdict(Reason.PROVIDER_ERROR, again=True),
    409: _Verdict(Reason.PROVIDER_ERROR, again=True),
    413: _Verdict(Reason.CONTEXT_TOO_LONG),
    425: _Verdict(Reason.PROVIDER_ERROR, again=True),
    _TOO_MANY_REQUESTS: _Verdict(Reason.RATE_LIMITED, again=True),
}


def of_error(answer: ErrorAnswer, now: datetime) -> Failure:
    """The failure that an HTTP error is. The server's `x-should-retry: false` is heeded, as OpenAI's clients do."""
    reason, again = _verdict(answer)
    again = again and answer.headers.get("x-should-retry") != "false"
    return Failure(
        reason,
        answer.message[:DETAIL_CHARACTERS],
        again,
        after=wait_asked_for(answer.headers, now) if again else None,
        headroom=headroom(answer.headers),
    )


def _verdict(answer: ErrorAnswer) -> _Verdict:
    for code in (answer.code, answer.kind):
        if code in _BY_CODE:
            return _Verdict(_BY_CODE[code])
    said = answer.message.lower()
    for words, reason in _BY_WORDS.items():
        if words in said and answer.status < _SERVER_ERROR:
            return _Verdict(reason)
    passing = answer.status >= _SERVER_ERROR
    return _BY_STATUS.get(answer.status, _Verdict(Reason.PROVIDER_ERROR, again=passing))


def of_silence(detail: str) -> Failure:
    """No answer in time."""
    return Failure(Reason.TIMED_OUT, detail[:DETAIL_CHARACTERS], again=True)


def of_connection(detail: str) -> Failure:
    """No connection, or one that broke."""
    return Failure(Reason.PROVIDER_ERROR, f"no connection: {detail[:DETAIL_CHARACTERS]}", again=True)


def of_nonsense(detail: str, usage: Usage = Usage()) -> Failure:  # noqa: B008  # a frozen value
    """An answer that is not what this API answers: a proxy's page, say."""
    return Failure(Reason.PROVIDER_ERROR, detail, again=True, usage=usage)


def of_ending(refusal: str | None, finish_reason: str | None, usage: Usage) -> Failure | None:
    """What is wrong with a completion by the way it ended; None if it ended well."""
    if refusal:
        return Failure(Reason.REFUSED, refusal[:DETAIL_CHARACTERS], again=False, usage=usage)
    match finish_reason:
        case "length":
            return Failure(Reason.TRUNCATED, "the answer was cut off at the length limit", again=False, usage=usage)
        case "content_filter":
            return Failure(Reason.REFUSED, "the answer was stopped by a content filter", again=False, usage=usage)
        case _:
            return None
