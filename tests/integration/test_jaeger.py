"""Telemetry from a real Jaeger, from the spans of an agent's run to the workbook."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from services.orchestrator import jaeger
from services.orchestrator.jaeger import NOT_FOUND, UNREACHABLE, Sought
from services.orchestrator.spans import RunTrace, ToolUse
from shared.settings import JaegerSettings
from tests.builders import NOON
from tests.real_jaeger import OtlpSpan, missing, real_jaeger
from tests.stacks import start

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.any_broker,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

ONE, TWO = "1" * 32, "2" * 32
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}


def spans_of_a_run(trace: str, run_id: str) -> list[OtlpSpan]:
    """Two calls of a tool within two seconds, one of which failed."""
    return [
        OtlpSpan(trace, "a" * 16, "run", seconds=2, tags={"run.id": run_id}),
        OtlpSpan(trace, "b" * 16, "search", 0.1, 0.5, parent="a" * 16, tags=TOOL),
        OtlpSpan(trace, "c" * 16, "search", 1.0, 0.25, parent="a" * 16, tags=TOOL, failed=True),
    ]


def settings(query: str, **given: Any) -> JaegerSettings:
    return JaegerSettings(_env_file=None, query_url=query, timeout_seconds=10, **given)


FOUND = RunTrace(2.0, 1, (ToolUse("search", 2, 1, 0.75),))


@pytest.mark.parametrize("services", ["", "agents"])
async def test_a_run_is_found_by_its_tag_and_by_its_trace(services: str) -> None:
    async with real_jaeger() as running:
        await running.send("agents", *spans_of_a_run(ONE, "run-1"))
        async with jaeger.opened(settings(running.query, services=services)) as tracer:
            assert tracer is not None
            assert await tracer.trace(Sought("run-1", None, None, NOON)) == FOUND
            assert await tracer.trace(Sought("run-1", ONE, None, NOON)) == FOUND
            assert await tracer.trace(Sought("run-2", None, None, NOON)) == NOT_FOUND
            assert await tracer.trace(Sought("run-1", "3" * 32, None, NOON)) == NOT_FOUND


def rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    head, *body = load_workbook(path)[sheet].iter_rows(values_only=True)
    return [dict(zip(map(str, head), cells, strict=True)) for cells in body]


async def test_the_workbook_has_what_traces_say_and_a_jaeger_that_dies_is_no_failure(tmp_path: Path) -> None:
    run = {"input": "q", "output": "a", "status": "completed"}
    runs = [{"run_id": "run-1", **run}, {"run_id": "run-2", "trace_id": TWO, **run}, {"run_id": "run-3", **run}]
    request = {"kind": "agents", "data": {"agents": [{"agent_id": "7", "runs": runs}]}}
    async with real_jaeger() as running:
        await running.send("agents", *spans_of_a_run(ONE, "run-1"), *spans_of_a_run(TWO, "run-2"))
        stack = await start(tmp_path / "stack", JAEGER_QUERY_URL=running.query, JAEGER_TIMEOUT_SECONDS="10")
        try:
            report_id = await stack.post(request)
            assert (await stack.final(report_id))["status"] == "completed"
            path = await stack.workbook(report_id, tmp_path)
        except BaseException:
            await stack.kill()
            raise
    try:
        found = {row["Run ID"]: row for row in rows(path, "Runs")}
        assert {key: row["Trace"] for key, row in found.items()} == {
            "run-1": "found",
            "run-2": "found",
            "run-3": NOT_FOUND.why,
        }
        assert (found["run-2"]["Tool calls"], found["run-2"]["Tool calls that failed"]) == (2, 1)
        (agent,) = rows(path, "Agents")
        assert (agent["Traced runs"], agent["Tool calls"], agent["Mean trace (s)"]) == (2, 4, 2)

        report_id = await stack.post(request)
        assert (await stack.final(report_id))["status"] == "completed"
        found = {row["Run ID"]: row for row in rows(await stack.workbook(report_id, tmp_path), "Runs")}
        assert {row["Trace"] for row in found.values()} == {UNREACHABLE.why}
    finally:
        assert await stack.stop() == 0
