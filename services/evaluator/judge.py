"""Talks to the judge, any OpenAI-compatible API: one call in, an answer's text or a classified failure out.

The only module that knows the SDK. It sends through the client's `post` and reads the raw JSON: that takes less than
half the time per call of the typed `create`, and leaves refusals and cut-off answers for us to tell apart.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote

import httpx2
import openai
from pydantic import BaseModel, JsonValue, ValidationError

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.failures import ErrorAnswer, of_connection, of_ending, of_error, of_nonsense, of_silence
from services.evaluator.hints import headroom
from shared.evaluations import Count, Parameters, Usage
from shared.pricing import PriceTable
from shared.settings import OpenAISettings

NO_KEY = "none"  # what servers without keys are sent: the SDK insists on one


class _TokenDetails(BaseModel):
    cached_tokens: Count | None = 0


class _OutputDetails(BaseModel):
    reasoning_tokens: Count | None = 0


class _Usage(BaseModel):
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    prompt_tokens_details: _TokenDetails | None = None
    completion_tokens_details: _OutputDetails | None = None


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
    """One client for all calls of the process. `utc` is the clock that dates in answers are compared with."""

    def __init__(self, client: openai.AsyncOpenAI, prices: PriceTable, utc: Callable[[], datetime]) -> None:
        self._client = client
        self._prices = prices
        self._utc = utc

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
            return of_silence(f"no answer within {timeout_seconds:.0f} s")
        except openai.APIError as error:
            return self._failure(error)
        return self._read(response.content)._replace(headroom=headroom(response.headers))

    def _failure(self, error: openai.APIError) -> Failure:
        match error:
            case openai.APITimeoutError():
                return of_silence(error.message)
            case openai.APIStatusError():
                headers = error.response.headers
                answer = ErrorAnswer(error.status_code, error.code, error.type, error.message, headers)
                return of_error(answer, self._utc())
            case openai.APIConnectionError():
                return of_connection(error.message)
            case _:
                return of_nonsense(error.message)

    def _read(self, content: bytes) -> Reply | Failure:
        try:
            completion = _Completion.model_validate_json(content)
        except ValidationError:
            return of_nonsense("the response is not a chat completion")
        usage = self._usage(completion)
        if not completion.choices:
            return of_nonsense("the response has no choice", usage)
        choice = completion.choices[0]
        ended = of_ending(choice.message.refusal, choice.finish_reason, usage)
        return ended or Reply(choice.message.content or "", completion.model, usage)

    def _usage(self, completion: _Completion) -> Usage:
        counted = completion.usage or _Usage()
        details, of_output = counted.prompt_tokens_details, counted.completion_tokens_details
        usage = Usage(
            model=completion.model,
            input_tokens=counted.prompt_tokens,
            output_tokens=counted.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
            reasoning_tokens=(of_output.reasoning_tokens or 0) if of_output else 0,
        )
        known = completion.usage is not None  # a server that does not count leaves the cost unknown
        return usage.model_copy(update={"cost_usd": self._prices.cost_usd(usage) if known else None})

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

    async def has(self, model: str) -> bool:
        """Whether the key is taken and the model is there, asked free of charge; False also if it does not say."""
        try:
            await self._client.get(f"/models/{quote(model, safe='')}", cast_to=httpx2.Response)
        except openai.APIError:
            return False
        return True

    async def warm_up(self, connections: int) -> None:
        """Open connections before the first task needs them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(self.trouble())

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def open_judge(settings: OpenAISettings, prices: PriceTable, utc: Callable[[], datetime]) -> Judge:
    """The judge that the settings name."""
    client = openai.AsyncOpenAI(
        api_key=settings.api_key.get_secret_value() or NO_KEY,
        base_url=settings.base_url or None,
        max_retries=0,
        timeout=600,  # the real bound is the one of each attempt
    )
    return Judge(client, prices, utc)


def _sent(parameters: Parameters) -> dict[str, JsonValue]:
    """The parameters that are set, by the API's names: some models refuse those they do not know."""
    named: dict[str, JsonValue] = {
        "temperature": parameters.temperature,
        "seed": parameters.seed,
        "max_completion_tokens": parameters.max_output_tokens,
    }
    return {name: value for name, value in named.items() if value is not None}
