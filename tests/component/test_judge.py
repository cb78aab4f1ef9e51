"""What the judge's module makes of real HTTP answers, read through the real SDK."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx2
import pytest

from services.evaluator.calls import Failure, Reply
from shared.evaluations import Parameters, Usage
from shared.vocabulary import Reason
from tests.judges import DATED, FORM, TURNS, Serve, a_judge, ask, completion, error


class Served(NamedTuple):
    """An HTTP answer, and which failure it is."""

    status: int
    body: Mapping[str, Any] | str
    reason: Reason
    again: bool
    after: float | None = None
    headers: Mapping[str, str] = {}  # read only, as the whole tuple
    tokens: int = 0


PROVIDER, LIMITED = Reason.PROVIDER_ERROR, Reason.RATE_LIMITED
ANSWERS = {
    "refusal": Served(
        200, completion(message={"content": None, "refusal": "I cannot."}), Reason.REFUSED, again=False, tokens=1_000
    ),
    "cut_off": Served(200, completion(finish_reason="length"), Reason.TRUNCATED, again=False, tokens=1_000),
    "filtered_answer": Served(
        200, completion(finish_reason="content_filter"), Reason.REFUSED, again=False, tokens=1_000
    ),
    "html": Served(200, "<html>Welcome to the proxy</html>", PROVIDER, again=True),
    "other_json": Served(200, {"detail": "hello"}, PROVIDER, again=True),
    "no_choice": Served(200, completion(choices=[]), PROVIDER, again=True, tokens=1_000),
    "negative_usage": Served(200, completion(usage={"prompt_tokens": -1}), PROVIDER, again=True),
    "bad_request": Served(400, error("invalid_value"), PROVIDER, again=False),
    "too_long": Served(400, error("context_length_exceeded"), Reason.CONTEXT_TOO_LONG, again=False),
    "string_too_long": Served(400, error("string_above_max_length"), Reason.CONTEXT_TOO_LONG, again=False),
    "filtered_prompt": Served(400, error("content_filter"), Reason.REFUSED, again=False),
    "model_not_found_400": Served(400, error("model_not_found"), Reason.MODEL_UNAVAILABLE, again=False),
    "bad_request_html": Served(400, "<html>Bad</html>", PROVIDER, again=False),
    "unauthorised": Served(401, error("invalid_api_key"), Reason.AUTH_FAILED, again=False),
    "forbidden": Served(403, error("country"), Reason.AUTH_FAILED, again=False),
    "no_such_model": Served(404, error("model_not_found"), Reason.MODEL_UNAVAILABLE, again=False),
    "request_timeout": Served(408, error(), PROVIDER, again=True),
    "conflict": Served(409, error(), PROVIDER, again=True, after=2, headers={"retry-after": "2"}),
    "unprocessable": Served(422, error(), PROVIDER, again=False),
    "limited": Served(429, error("rate_limit_exceeded"), LIMITED, again=True),
    "limited_seconds": Served(429, error(), LIMITED, again=True, after=7, headers={"Retry-After": "7"}),
    "limited_fraction": Served(429, error(), LIMITED, again=True, after=0.5, headers={"retry-after": "0.5"}),
    "limited_millis": Served(
        429, error(), LIMITED, again=True, after=0.25, headers={"retry-after-ms": "250", "retry-after": "1"}
    ),
    "limited_negative": Served(429, error(), LIMITED, again=True, after=0, headers={"retry-after": "-3"}),
    "limited_date": Served(
        429, error(), LIMITED, again=True, after=9, headers={"retry-after": "Tue, 24 Nov 2026 12:00:09 GMT"}
    ),
    "limited_date_of_another_clock": Served(
        429,
        error(),
        LIMITED,
        again=True,
        after=4,
        headers={"retry-after": "Mon, 02 Nov 2026 08:00:04 GMT", "date": "Mon, 02 Nov 2026 08:00:00 GMT"},
    ),
    "limited_words": Served(429, error(), LIMITED, again=True, headers={"retry-after": "soon"}),
    "limited_infinite": Served(429, error(), LIMITED, again=True, headers={"retry-after": "inf"}),
    "limited_reset": Served(
        429,
        error(),
        LIMITED,
        again=True,
        after=66.5,
        headers={
            "x-ratelimit-remaining-requests": "12",
            "x-ratelimit-reset-requests": "6h",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "1m6.5s",
        },
    ),
    "limited_and_told_not_to_come_back": Served(
        429, error(), LIMITED, again=False, headers={"x-should-retry": "false", "retry-after": "1"}
    ),
    "limited_above_a_minutes_tokens": Served(
        429,
        error("rate_limit_exceeded", "tokens", "Request too large for gpt-4o on tokens per min (TPM)"),
        Reason.CONTEXT_TOO_LONG,
        again=False,
    ),
    "too_long_in_words": Served(
        400,
        error("400", "BadRequestError", "This model's maximum context length is 4096"),
        Reason.CONTEXT_TOO_LONG,
        again=False,
    ),
    "payload_too_large": Served(413, error(), Reason.CONTEXT_TOO_LONG, again=False),
    "payment_required": Served(402, error(), Reason.QUOTA_EXHAUSTED, again=False),
    "billing": Served(429, error("billing_hard_limit_reached"), Reason.QUOTA_EXHAUSTED, again=False),
    "too_early": Served(425, error(), PROVIDER, again=True),
    "limited_html": Served(429, "<html>Slow down</html>", LIMITED, again=True),
    "quota": Served(429, error("insufficient_quota", "insufficient_quota"), Reason.QUOTA_EXHAUSTED, again=False),
    "quota_by_type": Served(429, error(None, "insufficient_quota"), Reason.QUOTA_EXHAUSTED, again=False),
    "server_error": Served(500, error(None, "server_error"), PROVIDER, again=True),
    "bad_gateway_html": Served(502, "<html>Bad gateway</html>", PROVIDER, again=True),
    "overloaded": Served(503, error(), PROVIDER, again=True, after=3, headers={"retry-after": "3"}),
}


@pytest.mark.parametrize("served", ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_http_answer_without_a_judgement_is_a_failure_of_the_closed_set(served: Served) -> None:
    calls = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        calls.append(request)
        body = served.body if isinstance(served.body, str) else json.dumps(served.body)
        return httpx2.Response(served.status, text=body, headers=dict(served.headers))

    failure = await ask(serve)
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.again, failure.after) == (served.reason, served.again, served.after)
    assert failure.usage.input_tokens == served.tokens
    assert failure.detail
    assert "sk-test" not in failure.detail
    assert len(calls) == 1


def serving(body: Mapping[str, Any]) -> Serve:
    return lambda _: httpx2.Response(200, json=dict(body))


# --- an answer


async def test_an_answer_is_its_text_its_model_and_its_usage() -> None:
    reply = await ask(serving(completion()))
    assert reply == Reply(
        '{"ok": true}',
        DATED,
        Usage(model=DATED, input_tokens=1_000, output_tokens=200, cached_tokens=0, cost_usd=0.00027),
    )


async def test_cached_tokens_are_read_and_cost_less() -> None:
    usage = {"prompt_tokens": 1_000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 400}}
    reply = await ask(serving(completion(usage=usage)))
    assert (reply.usage.cached_tokens, reply.usage.cost_usd) == (400, 0.00024)


async def test_reasoning_tokens_are_read_and_are_among_the_output() -> None:
    usage = {"prompt_tokens": 1_000, "completion_tokens": 200, "completion_tokens_details": {"reasoning_tokens": 150}}
    reply = await ask(serving(completion(usage=usage)))
    assert (reply.usage.output_tokens, reply.usage.reasoning_tokens, reply.usage.cost_usd) == (200, 150, 0.00027)


@pytest.mark.parametrize(
    ("changes", "tokens", "cost"),
    [
        ({"model": "llama-4"}, 1_000, None),
        ({"usage": None}, 0, None),
        ({"usage": {"prompt_tokens": 10, "prompt_tokens_details": None}}, 10, 0.0000015),
        ({"usage": {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": None}}}, 10, 0.0000015),
    ],
    ids=["unpriced", "no_usage", "no_details", "no_cached"],
)
async def test_usage_is_as_the_server_says_it_and_a_model_without_a_price_has_none(
    changes: dict[str, Any], tokens: int, cost: float | None
) -> None:
    reply = await ask(serving(completion(**changes)))
    assert isinstance(reply, Reply)
    assert (reply.usage.input_tokens, reply.usage.cost_usd) == (tokens, cost)


async def test_an_answer_without_text_is_left_to_the_check_of_its_form() -> None:
    reply = await ask(serving(completion(message={"content": None})))
    assert isinstance(reply, Reply)
    assert reply.text == ""


async def test_the_call_asks_for_the_form_in_strict_mode_and_to_store_nothing() -> None:
    seen: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=completion())

    await ask(serve, model="gpt-4o")
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "http://judge/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer sk-test"
    body = json.loads(request.content)
    assert body.pop("response_format") == {
        "type": "json_schema",
        "json_schema": {"name": "AgentAnswer", "strict": True, "schema": FORM.schema},
    }
    assert body == {"model": "gpt-4o", "messages": [turn._asdict() for turn in TURNS], "store": False}


async def test_parameters_are_sent_by_the_names_of_the_api_and_only_where_they_are_set() -> None:
    seen: list[dict[str, Any]] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content))
        return httpx2.Response(200, json=completion())

    async with a_judge(serve) as judge:
        for parameters in (Parameters(temperature=0, seed=7, max_output_tokens=2_000), Parameters(temperature=0.5)):
            await judge.ask("gpt-4o", TURNS, FORM._replace(parameters=parameters), 5)
    names = {"temperature", "seed", "max_completion_tokens"}
    assert [{name: body[name] for name in names & body.keys()} for body in seen] == [
        {"temperature": 0, "seed": 7, "max_completion_tokens": 2_000},
        {"temperature": 0.5},
    ]
