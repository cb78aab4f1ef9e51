"""The judge's module on connections that end in a function, and what a server of the judge's API may say."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import openai

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.judge import Judge
from shared.pricing import packaged_prices
from tests.builders import at

FORM = Form("AgentAnswer", {"type": "object", "properties": {}, "required": [], "additionalProperties": False})
TURNS = [Turn("system", "Be fair."), Turn("user", "Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{SEEDLING}")]
DATED = "gpt-4o-mini-2024-07-18"

Serve = Callable[[httpx2.Request], httpx2.Response]


@asynccontextmanager
async def a_judge(serve: Serve) -> AsyncIterator[Judge]:
    """A judge whose connections end in a function."""
    client = openai.AsyncOpenAI(
        api_key="sk-test",
        base_url="http://judge/v1",
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(transport=httpx2.MockTransport(serve)),
    )
    judge = Judge(client, packaged_prices(), lambda: at(0))
    yield judge
    await judge.close()


async def ask(serve: Serve, timeout_seconds: float = 5, model: str = "gpt-4o-mini") -> Reply | Failure:
    async with a_judge(serve) as judge:
        return await judge.ask(model, TURNS, FORM, timeout_seconds)


def completion(**changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": '{"ok": true}', "refusal": None, **changes.pop("message", {})}
    choice = {"index": 0, "finish_reason": changes.pop("finish_reason", "stop"), "message": message}
    usage = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200}
    return {"id": "c1", "object": "chat.completion", "model": DATED, "choices": [choice], "usage": usage, **changes}


def error(code: str | None = None, kind: str = "invalid_request_error", message: str = "No.") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
