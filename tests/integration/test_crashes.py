"""Processes die at any time; reports end all the same."""

import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.requests import agents_request
from tests.stacks import Stack, start, until

pytestmark = pytest.mark.anyio

ROOMS = ("orchestrator", "evaluator", "renderer", "gateway")


async def test_a_report_completes_although_each_service_is_killed_in_the_middle_of_it(tmp_path: Path) -> None:
    stack = await start(tmp_path, "--latency", "0.3")
    try:
        for room in ROOMS:
            report_id = await stack.post(agents_request(60, report_id=f"while-{room}-dies"))

            async def some_are_done(report_id: str = report_id) -> bool | None:
                return 3 < (await stack.status(report_id))["counts"]["completed"] < 60 or None

            await until(some_are_done, "the middle of the report", 30)
            (pid,) = stack.pids(room)
            os.kill(pid, signal.SIGKILL)

            async def ended(report_id: str = report_id) -> dict[str, object] | None:
                try:
                    answer = await stack.http.get(f"/reports/{report_id}")
                except httpx2.TransportError:
                    return None  # the gateway is the one that is down
                document = answer.json() if answer.status_code == 200 else {}
                return document if document.get("status") == "completed" else None

            status = await until(ended, f"{report_id} to complete", 90)
            counts = status["counts"]
            assert isinstance(counts, dict)
            assert (counts["total"], counts["completed"]) == (60, 60)
            assert stack.pids(room) != [pid]
    finally:
        assert await stack.stop() == 0


@pytest.mark.only_on("embedded")  # which forgets what was under way
async def test_a_standalone_started_again_has_its_finished_reports_and_ends_the_open_ones(tmp_path: Path) -> None:
    first = await start(tmp_path, "--latency", "0")
    await first.final(await first.post(agents_request(2, report_id="finished")))
    done = await first.workbook("finished", tmp_path)
    await first.behave(latency_seconds=30)
    await first.post(agents_request(2, report_id="open", options={"deadline_seconds": 25}))

    async def evaluating() -> bool | None:
        return (await first.status("open"))["status"] == "evaluating" or None

    await until(evaluating, "the open report to be planned", 20)
    await first.kill()

    second = await start(tmp_path)
    try:
        kept = done.read_bytes()
        assert (await second.workbook("finished", tmp_path)).read_bytes() == kept
        status = await second.final("open", 60)
        assert status["status"] in {"failed", "completed_with_errors"}
        assert {part["reason"] for part in status["parts"] if part["role"] == "agent"} == {"deadline_passed"}
        assert (await second.final(await second.post(agents_request(2))))["status"] == "completed"
    finally:
        assert await second.stop() == 0


@pytest.mark.only_on("embedded")
async def test_reports_that_are_asked_for_while_the_broker_dies_end_all_the_same(tmp_path: Path) -> None:
    stack = await start(tmp_path, "--latency", "0.2")
    try:
        (broker,) = [pid for pid in children(stack.process.pid) if "tansu" in command(pid)]
        os.kill(broker, signal.SIGKILL)
        request = agents_request(2, report_id="asked-meanwhile")

        async def accepted() -> bool | None:
            try:
                return (await stack.http.post("/reports", json=request)).status_code == 202 or None
            except httpx2.TransportError:
                return None  # the gateway restarts with the broker; the same request again is harmless

        async def ended() -> str | None:
            try:
                answer = await stack.http.get("/reports/asked-meanwhile")
            except httpx2.TransportError:
                return None
            status = answer.json().get("status") if answer.status_code == 200 else None
            return status if status == "completed" else None

        await until(accepted, "the gateway to accept the request", 60)

        assert await until(ended, "the report to complete on the new broker", 90)
    finally:
        assert await stack.stop() == 0


@pytest.mark.only_on("embedded")  # the broker of a run is not ours to stop
async def test_a_room_whose_broker_hangs_is_not_ready_until_it_answers_again(calm: Stack) -> None:
    (broker,) = [pid for pid in children(calm.process.pid) if "tansu" in command(pid)]

    async def is_ready() -> bool:
        return (await calm.http.get(calm.page("renderer", "readyz"))).is_success

    async def not_ready() -> bool | None:
        return not await is_ready() or None

    async def ready() -> bool | None:
        return await is_ready() or None

    os.kill(broker, signal.SIGSTOP)
    try:
        await until(not_ready, "the renderer to say that its broker is away", 30)
    finally:
        os.kill(broker, signal.SIGCONT)
    await until(ready, "the renderer to be ready again", 60)


def children(pid: int) -> list[int]:
    """The processes this one started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def command(pid: int) -> str:
    """A process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
