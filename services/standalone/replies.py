"""What the stand-in judge says over HTTP: a chat completion, whole or spoilt, or an error, in OpenAI's form."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import JsonValue

from services.evaluator.answers import AgentAnswer, AnyAnswer, LanguageAnswer, LanguagesAnswer, TeamAnswer
from services.standalone.behaviour import Fault
from services.standalone.opinions import MARK

CHARACTERS_PER_TOKEN = 4
_NO_SUCH_ROW = 999_999


class Reply(NamedTuple):
    """A response: status, body, and headers beyond the content type."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


ANSWERS_AS = "stand-in"  # whatever model is asked for: no price fits it, and no reader takes it for one


class Call(NamedTuple):
    """What a reply repeats of its call, or counts. `at` is in seconds since 1970."""

    number: int
    prompt_characters: int
    at: int


class _Problem(NamedTuple):
    """An error as OpenAI words it."""

    status: int
    kind: str
    code: str | None
    message: str
    headers: Mapping[str, str] = {}


_PROBLEMS = {
    Fault.RATE_LIMITED: _Problem(
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached.",
        {"retry-after": "1", "x-ratelimit-remaining-requests": "0"},
    ),
    Fault.QUOTA: _Problem(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    Fault.SERVER_ERROR: _Problem(500, "server_error", None, "The server had an error."),
    Fault.AUTH: _Problem(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    Fault.NOT_FOUND: _Problem(404, "invalid_request_error", "model_not_found", "The model does not exist."),
    Fault.CONTEXT_TOO_LONG: _Problem(
        400, "invalid_request_error", "context_length_exceeded", "This model's maximum context length is exceeded."
    ),
}


def problem(fault: Fault) -> Reply | None:
    """The error a fault shows as; None where it shows as an answer, or as none."""
    known = _PROBLEMS.get(fault)
    return _error(known) if known else None


def unusable(message: str) -> Reply:
    """The error for a call that cannot be understood."""
    return _error(_Problem(400, "invalid_request_error", None, message))


def unknown(method: str, path: str) -> Reply:
    """The error for an address that is not served."""
    return _error(_Problem(404, "invalid_request_error", None, f"Unknown request URL: {method} {path}."))


def completion(call: Call, content: str) -> Reply:
    """A chat completion."""
    return _completion(call, content, {"role": "assistant", "content": content, "refusal": None}, "stop")


def spoilt(call: Call, answer: AnyAnswer, fault: Fault) -> Reply:
    """A chat completion with something wrong."""
    content = answer.model_dump_json()
    match fault:
        case Fault.REFUSED:
            refusal = f"{MARK} It was told to refuse this one."
            return _completion(call, refusal, {"role": "assistant", "content": None, "refusal": refusal}, "stop")
        case Fault.TRUNCATED:
            content, reason = content[: len(content) // 2], "length"
        case Fault.CONTENT_FILTER:
            content, reason = "", "content_filter"
        case Fault.OUT_OF_RANGE:
            content, reason = _out_of_range(answer).model_dump_json(), "stop"
        case _:
            content, reason = f"{MARK} not JSON: {{", "stop"
    return _completion(call, content, {"role": "assistant", "content": content, "refusal": None}, reason)


def _out_of_range(answer: AnyAnswer) -> AnyAnswer:
    """Valid by its form, wrong by the task: scores above 10, rows and languages that are not there."""
    match answer:
        case AgentAnswer() | TeamAnswer():
            criteria = tuple(item.model_copy(update={"score": 11.0}) for item in answer.criteria)
            return answer.model_copy(update={"criteria": criteria})
        case LanguageAnswer():
            return answer.model_copy(update={"positive_reviews": (*answer.positive_reviews, _NO_SUCH_ROW)})
        case LanguagesAnswer():
            themes = tuple(item.model_copy(update={"languages": ("nowhere",)}) for item in answer.themes)
            return answer.model_copy(update={"themes": themes})


def _completion(call: Call, said: str, message: Mapping[str, JsonValue], finish_reason: str) -> Reply:
    prompt, answer = (max(1, count // CHARACTERS_PER_TOKEN) for count in (call.prompt_characters, len(said)))
    body = {
        "id": f"chatcmpl-standin-{call.number}",
        "object": "chat.completion",
        "created": call.at,
        "model": ANSWERS_AS,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_standin",
    }
    return Reply(200, json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace"))


def _error(known: _Problem) -> Reply:
    body = {"error": {"message": f"{MARK} {known.message}", "type": known.kind, "param": None, "code": known.code}}
    return Reply(known.status, json.dumps(body).encode(), known.headers)
