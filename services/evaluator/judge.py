"""Talks to the judge, any OpenAI-compatible API: one call in, an answer's text or a classified failure out.

The only module that knows the SDK. It sends through the client's `post` and reads the raw JSON: that takes less than
half the time per call of the typed `create`, and leaves refusals and cut-off answers for us to tell apart.
"""

import asyncio
from collections.abc import Mapping, Sequence

import httpx2
import openai
from pydantic import BaseModel, JsonValue, ValidationError

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.pricing import PriceTable
from shared.evaluations import Count, Parameters, Usage
from shared.settings import OpenAISettings
from shared.vocabulary import Reason

NO_KEY = "none"  # what servers without keys are sent: the SDK insists on one


class _TokenDetails(BaseModel):
    cached_tokens: Count | None = 0


class _Usage(BaseModel):
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    prompt_tokens_details: _TokenDetails | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    finish_reason: str | None = None
    message: _Message


class _Completion(BaseModel):
    model: str
    choices: list[_Choice]
    usage: _Usage | None = None


class Judge:
    """One client for all calls of the process."""

    def __init__(self, client: openai.AsyncOpenAI, prices: PriceTable) -> None:
        self._client = client
        self._prices = prices

    async def ask(self, model: str, turns: Sequence[Turn], form: Form, timeout_seconds: float) -> Reply | Failure:
        """One attempt, no retries: its owner decides about those."""
        body: dict[str, object] = {
            "model": model,
            "messages": [turn._asdict() for turn in turns],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": form.name, "strict": True, "schema": form.schema},
            },
            "store": False,
            **_sent(form.parameters),
        }
        try:
            async with asyncio.timeout(timeout_seconds):  # the SDK's own time-out is per read, not for the whole call
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        except TimeoutError:
            return Failure(Reason.TIMED_OUT, f"no answer within {timeout_seconds:.0f} s", again=True)
        except openai.APIError as error:
            return classified(error)
        return self._read(response.content)

    def _read(self, content: bytes) -> Reply | Failure:
        try:
            completion = _Completion.model_validate_json(content)
        except ValidationError:
            return Failure(Reason.PROVIDER_ERROR, "the response is not a chat completion", again=True)
        usage = self._usage(completion)
        if not completion.choices:
            return Failure(Reason.PROVIDER_ERROR, "the response has no choice", again=True, usage=usage)
        choice = completion.choices[0]
        if choice.message.refusal:
            return Failure(Reason.REFUSED, choice.message.refusal, again=False, usage=usage)
        if choice.finish_reason == "length":
            return Failure(Reason.TRUNCATED, "the answer was cut off at the length limit", again=False, usage=usage)
        if choice.finish_reason == "content_filter":
            return Failure(Reason.REFUSED, "the answer was stopped by a content filter", again=False, usage=usage)
        return Reply(choice.message.content or "", completion.model, usage)

    def _usage(self, completion: _Completion) -> Usage:
        counted = completion.usage or _Usage()
        details = counted.prompt_tokens_details
        usage = Usage(
            model=completion.model,
            input_tokens=counted.prompt_tokens,
            output_tokens=counted.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
        )
        return usage.model_copy(update={"cost_usd": self._prices.cost_usd(usage)})

    async def trouble(self) -> str | None:
        """What keeps the judge from being reached or used, asked free of charge; None if nothing does."""
        try:
            await self._client.get("/models", cast_to=httpx2.Response)
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            return f"the judge refuses the key: {error.message}"
        except openai.APIConnectionError as error:
            return f"the judge cannot be reached: {error.message}"
        except openai.APIError:
            return None  # it is there and speaks HTTP; not every server lists its models
        return None

    async def warm_up(self, connections: int) -> None:
        """Open connections before the first task needs them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self.trouble())

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def open_judge(settings: OpenAISettings, prices: PriceTable) -> Judge:
    """The judge that the settings name."""
    client = openai.AsyncOpenAI(
        api_key=settings.api_key.get_secret_value() or NO_KEY,
        base_url=settings.base_url or None,
        max_retries=0,
        timeout=600,  # the real bound is the one of each attempt
    )
    return Judge(client, prices)


def _sent(parameters: Parameters) -> dict[str, JsonValue]:
    """The parameters that are set, by the API's names: some models refuse those they do not know."""
    named: dict[str, JsonValue] = {
        "temperature": parameters.temperature,
        "seed": parameters.seed,
        "max_completion_tokens": parameters.max_output_tokens,
    }
    return {name: value for name, value in named.items() if value is not None}


def classified(error: openai.APIError) -> Failure:  # noqa: C901, PLR0911  # a table, one line per kind of error
    """Which of the closed reasons an error of the SDK is, and whether the same call may succeed later."""
    detail = error.message[:500]
    match error:
        case openai.APITimeoutError():
            return Failure(Reason.TIMED_OUT, detail, again=True)
        case openai.APIConnectionError():
            return Failure(Reason.PROVIDER_ERROR, f"no connection: {detail}", again=True)
        case openai.RateLimitError() if "insufficient_quota" in {error.code, error.type}:
            return Failure(Reason.QUOTA_EXHAUSTED, detail, again=False)
        case openai.RateLimitError():
            return Failure(Reason.RATE_LIMITED, detail, again=True, after=_retry_after(error.response.headers))
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return Failure(Reason.AUTH_FAILED, detail, again=False)
        case openai.NotFoundError():
            return Failure(Reason.MODEL_UNAVAILABLE, detail, again=False)
        case openai.BadRequestError() if error.code in _BAD_REQUESTS:
            return Failure(_BAD_REQUESTS[error.code], detail, again=False)
        case openai.APIStatusError() if error.status_code in _PASSING or error.status_code >= _SERVER_ERROR:
            return Failure(Reason.PROVIDER_ERROR, detail, again=True, after=_retry_after(error.response.headers))
        case _:
            return Failure(Reason.PROVIDER_ERROR, detail, again=False)


_SERVER_ERROR = 500
_PASSING = frozenset({408, 409, 425})
_BAD_REQUESTS = {
    "context_length_exceeded": Reason.CONTEXT_TOO_LONG,
    "string_above_max_length": Reason.CONTEXT_TOO_LONG,
    "content_filter": Reason.REFUSED,
    "content_policy_violation": Reason.REFUSED,
    "model_not_found": Reason.MODEL_UNAVAILABLE,
    "invalid_api_key": Reason.AUTH_FAILED,
}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from the milliseconds some send or the whole seconds of RFC 9110; a date is rare and left to backoff."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
