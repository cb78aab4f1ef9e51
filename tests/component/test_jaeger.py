"""What the client makes of Jaeger's answers, and of none."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from services.orchestrator import jaeger
from services.orchestrator.jaeger import LARGEST_ANSWER_BYTES, Jaeger, Sought
from services.orchestrator.spans import NoTrace, RunTrace
from services.standalone.ports import free_ports
from shared.settings import JaegerSettings
from tests.builders import NOON, at
from tests.traces import a_span, a_trace, an_answer, the_run

Serve = Callable[[httpx2.Request], httpx2.Response]
BY_TAG = Sought("42", None, at(-60), NOON)
BY_TRACE = Sought("42", "ABC123", None, NOON)


def settings(**given: Any) -> JaegerSettings:
    return JaegerSettings(_env_file=None, **{"query_url": "http://jaeger", "services": "agents", **given})


async def ask(serve: Serve, run: Sought, **given: Any) -> RunTrace | NoTrace:
    async with httpx2.AsyncClient(base_url="http://jaeger", transport=httpx2.MockTransport(serve)) as client:
        return await Jaeger(client, settings(**given)).trace(run)


def said(found: RunTrace | NoTrace) -> str:
    assert isinstance(found, NoTrace)
    return found.why


async def test_a_run_that_names_its_trace_is_found_by_it() -> None:
    asked = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(200, json=an_answer(the_run()))

    found = await ask(serve, BY_TRACE)
    assert isinstance(found, RunTrace)
    assert found.tool_calls == 3
    assert asked == ["http://jaeger/api/traces/ABC123"]


async def test_another_run_is_searched_by_its_tag_in_every_service_within_its_time() -> None:
    asked: list[httpx2.QueryParams] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.params)
        return httpx2.Response(200, json=an_answer(the_run()))  # both services have it: it counts once

    found = await ask(serve, BY_TAG, services="agents, tools")
    assert isinstance(found, RunTrace)
    assert found.tool_calls == 3
    assert [query["service"] for query in asked] == ["agents", "tools"]
    assert json.loads(asked[0]["tags"]) == {"run.id": "42"}
    assert int(asked[0]["end"]) - int(asked[0]["start"]) == 60_000_000


async def test_traces_of_a_run_in_two_services_are_read_together() -> None:
    def serve(request: httpx2.Request) -> httpx2.Response:
        service = request.url.params["service"]
        return httpx2.Response(
            200, json=an_answer(a_trace(a_span(service, run__id="42", error=True), trace_id=service))
        )

    found = await ask(serve, BY_TAG, services="agents,tools")
    assert isinstance(found, RunTrace)
    assert found.errors == 2


async def test_where_no_service_is_configured_those_that_jaeger_knows_are_searched() -> None:
    asked = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        known = {"data": ["one", "two"]}
        return httpx2.Response(200, json=known if request.url.path == "/api/services" else an_answer())

    assert said(await ask(serve, BY_TAG, services="")) == "no trace found"
    assert asked == ["/api/services", "/api/traces", "/api/traces"]


async def test_too_many_services_are_not_searched_without_being_named() -> None:
    known = [str(number) for number in range(11)]
    assert "JAEGER_SERVICES" in said(
        await ask(lambda _: httpx2.Response(200, json={"data": known}), BY_TAG, services="")
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx2.Response(404, json={"data": None, "errors": [{"code": 404}]}), "no trace found"),
        (httpx2.Response(200, json={"data": None}), "no trace found"),
        (httpx2.Response(500, text="oh"), "not read: Jaeger answers with HTTP 500"),
        (httpx2.Response(200, text="<html>Sign in</html>"), "not read: Jaeger's answer cannot be understood"),
        (httpx2.Response(200, content=b"x" * (LARGEST_ANSWER_BYTES + 1)), "not read: larger than 8,000,000 bytes"),
    ],
    ids=["unknown", "nothing", "error", "html", "huge"],
)
@pytest.mark.parametrize("run", [BY_TAG, BY_TRACE], ids=["by_tag", "by_trace"])
async def test_an_answer_without_a_trace_is_told_in_words(answer: httpx2.Response, words: str, run: Sought) -> None:
    content = answer.content
    assert said(await ask(lambda _: httpx2.Response(answer.status_code, content=content), run)) == words


async def test_an_id_that_cannot_be_a_traces_is_never_sent() -> None:
    def serve(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(request.url)

    found = await ask(serve, Sought("42", "../services", None, NOON))
    assert said(found) == "not read: trace_id is not the id of a trace"


async def test_a_jaeger_that_is_not_there_is_silence_and_no_failure() -> None:
    async with jaeger.opened(settings(query_url=f"http://127.0.0.1:{next(free_ports())}")) as tracer:
        assert tracer is not None
        assert await tracer.trace(BY_TAG) == NoTrace("not read: Jaeger cannot be reached", silent=True)


async def test_a_jaeger_that_accepts_and_never_answers_costs_its_time_and_no_more() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        hangs = settings(query_url=f"http://127.0.0.1:{port}", timeout_seconds=0.05)
        async with jaeger.opened(hangs) as tracer:
            assert tracer is not None
            found = await tracer.trace(BY_TRACE)
    assert found == NoTrace("not read: no answer from Jaeger within 0.05 s", silent=True)


async def test_no_more_calls_run_at_once_than_are_allowed() -> None:
    running, most, may_end = 0, 0, asyncio.Event()

    async def serve(_: httpx2.Request) -> httpx2.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3:
            may_end.set()
        await may_end.wait()
        running -= 1
        return httpx2.Response(404)

    async with httpx2.AsyncClient(base_url="http://jaeger", transport=httpx2.MockTransport(serve)) as client:
        tracer = Jaeger(client, settings(reads=3, timeout_seconds=30))
        async with asyncio.TaskGroup() as group:
            for _ in range(12):
                group.create_task(tracer.trace(BY_TRACE))
    assert most == 3


async def test_without_an_address_there_is_no_telemetry() -> None:
    async with jaeger.opened(settings(query_url="")) as tracer:
        assert tracer is None
