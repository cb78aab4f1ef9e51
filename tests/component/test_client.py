"""The console's client follows a report through broken streams, and says in words what the gateway said."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from services.client import gateway as client
from services.client.gateway import Format, Gateway, GatewayError
from services.client.watching import fetched
from shared.messages import Counts, ReportStatus
from shared.vocabulary import Kind, Status

Handler = Callable[[httpx2.Request], httpx2.Response]


def status(version: int, state: Status = Status.EVALUATING) -> ReportStatus:
    return ReportStatus(
        report_id="r",
        version=version,
        generation=1,
        kind=Kind.AGENTS,
        title="",
        status=state,
        progress=version,
        current_step="",
        counts=Counts(),
    )


def stream(*states: ReportStatus) -> httpx2.Response:
    events = "".join(f"id: {state.version}\ndata: {state.model_dump_json()}\n\n" for state in states)
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=f": hello\n\n{events}")


def asked(handler: Handler) -> Gateway:
    return Gateway(httpx2.AsyncClient(base_url="http://gateway", transport=httpx2.MockTransport(handler)))


def files_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


async def versions(gateway: Gateway) -> list[int]:
    return [state.version async for state in gateway.follow("r")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(client, "_PATIENCE_SECONDS", 0.05)


async def test_following_ends_with_the_final_state() -> None:
    gateway = asked(lambda _: stream(status(1), status(2), status(3, Status.COMPLETED)))
    assert await versions(gateway) == [1, 2, 3]


async def test_a_stream_that_ends_early_is_opened_anew_and_older_states_are_left_out() -> None:
    streams = iter([stream(status(1), status(2)), stream(status(2), status(3)), stream(status(4, Status.FAILED))])
    assert await versions(asked(lambda _: next(streams))) == [1, 2, 3, 4]


async def test_a_gateway_that_is_away_for_a_moment_is_waited_for() -> None:
    answers = iter([None, stream(status(1)), None, None, stream(status(2, Status.COMPLETED))])

    def handler(request: httpx2.Request) -> httpx2.Response:
        answer = next(answers)
        if answer is None:
            raise httpx2.ConnectError("away", request=request)
        return answer

    assert await versions(asked(handler)) == [1, 2]


async def test_a_gateway_that_stays_away_is_given_up() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("away", request=request)

    with pytest.raises(GatewayError, match="cannot be reached any more"):
        await asyncio.wait_for(versions(asked(handler)), 10)


async def test_a_problem_document_is_said_in_its_words() -> None:
    problem = {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "It has ended."}
    gateway = asked(lambda _: httpx2.Response(409, json=problem))
    with pytest.raises(GatewayError, match=r"^Conflict: It has ended\. \(409\)$"):
        await gateway.act("r", "cancel")


async def test_an_error_that_is_no_problem_document_is_shown_as_it_came() -> None:
    gateway = asked(lambda _: httpx2.Response(502, text="<h1>Bad Gateway</h1>"))
    with pytest.raises(GatewayError, match="Bad Gateway"):
        await gateway.document("r")


async def test_a_report_is_asked_for_by_its_body_alone() -> None:
    seen: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(202, json={"report_id": "r", "links": {}})

    assert await asked(handler).request(b'{"kind": "agents"}') == "r"
    assert (seen[0].method, seen[0].url.path, seen[0].content) == ("POST", "/reports", b'{"kind": "agents"}')


async def test_a_workbook_is_written_whole(tmp_path: Path) -> None:
    await asked(lambda _: httpx2.Response(200, content=b"x" * 100_000)).download("r", tmp_path / "r.xlsx")
    assert files_in(tmp_path) == {"r.xlsx": b"x" * 100_000}


async def test_a_workbook_that_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(GatewayError):
        await asked(lambda _: httpx2.Response(409, json={"title": "Conflict"})).download("r", tmp_path / "r.xlsx")
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize(
    ("form", "generation", "told"),
    [
        (Format.XLSX, None, "/reports/r/workbook r.xlsx"),
        (Format.XLSX, 2, "/reports/r/workbook?generation=2 r.g2.xlsx"),
        (Format.CSV, None, "/reports/r/results.csv r.csv"),
        (Format.JSON, 1, "/reports/r/results.json?generation=1 r.g1.json"),
    ],
)
async def test_results_are_fetched_in_the_form_and_of_the_generation_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format, generation: int | None, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path, name = told.split()
    seen: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.raw_path.decode())
        return httpx2.Response(200, content=b"content")

    assert await fetched(asked(handler), "r", None, form, generation) == Path(name)
    assert seen == [path]
    assert files_in(tmp_path) == {name: b"content"}
