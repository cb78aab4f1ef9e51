"""What the judge's module makes of servers that hang, hang up or are away, over real sockets where it matters."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from services.evaluator.calls import Failure
from services.evaluator.judge import NO_KEY, open_judge
from shared.chassis.sending import utc_now
from shared.pricing import packaged_prices
from shared.settings import OpenAISettings
from shared.vocabulary import Reason
from tests.judges import FORM, TURNS, a_judge, ask, error

# --- no answer


async def test_a_server_that_hangs_is_a_time_out_after_the_attempts_time() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    failure = await asked_over_tcp(hang, timeout_seconds=0.05)
    assert (failure.reason, failure.again, failure.after) == (Reason.TIMED_OUT, True, None)


async def test_a_server_that_sends_its_answer_in_drops_is_a_time_out_too() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n")
        while not reader.at_eof() and not writer.is_closing():
            writer.write(b" ")
            try:
                await asyncio.wait_for(reader.read(65_536), 0.01)
            except TimeoutError:
                continue
        writer.close()

    assert (await asked_over_tcp(drip, timeout_seconds=0.1)).reason is Reason.TIMED_OUT


async def test_a_server_that_hangs_up_in_the_middle_is_a_passing_fault() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
        writer.close()

    failure = await asked_over_tcp(hang_up)
    assert (failure.reason, failure.again) == (Reason.PROVIDER_ERROR, True)


async def test_a_connection_that_is_refused_is_a_passing_fault() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    failure = await asked_at(port, 5)
    assert (failure.reason, failure.again, failure.after) == (Reason.PROVIDER_ERROR, True, None)
    assert failure.detail.startswith("no connection: ")


async def test_the_sdks_own_time_out_is_a_time_out() -> None:
    def serve(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("slow", request=request)

    failure = await ask(serve)
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.again) == (Reason.TIMED_OUT, True)


async def asked_over_tcp(
    behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], timeout_seconds: float = 5
) -> Failure:
    async with await asyncio.start_server(behave, "127.0.0.1", 0) as server:
        return await asked_at(server.sockets[0].getsockname()[1], timeout_seconds)


async def asked_at(port: int, timeout_seconds: float) -> Failure:
    settings = OpenAISettings(_env_file=None, api_key="sk-test", base_url=f"http://127.0.0.1:{port}/v1")
    judge = open_judge(settings, packaged_prices(), utc_now)
    failure = await judge.ask("gpt-4o-mini", TURNS, FORM, timeout_seconds)
    await judge.close()
    assert isinstance(failure, Failure)
    return failure


# --- readiness


@pytest.mark.parametrize(
    ("status", "trouble"), [(200, None), (404, None), (500, None), (401, "refuses the key"), (403, "refuses the key")]
)
async def test_only_a_key_that_is_refused_or_a_server_that_is_away_is_trouble(status: int, trouble: str | None) -> None:
    async with a_judge(lambda _: httpx2.Response(status, json=error())) as judge:
        found = await judge.trouble()
    assert (found is None) if trouble is None else (trouble in str(found))


async def test_a_server_that_cannot_be_reached_is_trouble() -> None:
    def serve(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    async with a_judge(serve) as judge:
        assert str(await judge.trouble()).startswith("the judge cannot be reached")


@pytest.mark.parametrize(("status", "has"), [(200, True), (401, False), (404, False), (500, False)])
async def test_whether_a_model_can_be_used_is_asked_by_its_name(status: int, *, has: bool) -> None:
    seen = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.raw_path)
        return httpx2.Response(status, json=error())

    async with a_judge(serve) as judge:
        assert await judge.has("org/model 1") is has
    assert seen == [b"/v1/models/org%2Fmodel%201"]


async def test_a_connection_per_slot_is_opened_before_the_first_task() -> None:
    seen = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.path)
        return httpx2.Response(200, json={"data": []})

    async with a_judge(serve) as judge:
        await judge.warm_up(4)
    assert seen == ["/v1/models"] * 4


async def test_a_server_without_keys_is_sent_a_word_that_is_none() -> None:
    judge = open_judge(
        OpenAISettings(_env_file=None, api_key="", base_url="http://judge/v1"), packaged_prices(), utc_now
    )
    assert judge._client.api_key == NO_KEY
    assert judge._client.max_retries == 0
    await judge.close()
