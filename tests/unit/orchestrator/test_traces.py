"""Runs and what their traces say, joined by the run's id, best effort."""

import asyncio
from datetime import timedelta
from typing import Any

from services.orchestrator.jaeger import Sought
from services.orchestrator.pieces import PieceEvidence
from services.orchestrator.sources import InlineAgents
from services.orchestrator.spans import NoTrace, RunTrace
from services.orchestrator.traces import NO_TIME, SILENT_CALLS, TracedAgents
from shared.messages import InlineData
from shared.store.sources import Window
from tests.builders import NOON, a_request, at
from tests.unit.orchestrator.rooms import AnOrchestrator

PLENTY = 60.0


class FakeTracer:
    """Knows runs by their id; answers `silent` for all others, or never."""

    def __init__(self, **known: RunTrace | NoTrace) -> None:
        self.known = known
        self.sought: list[Sought] = []
        self.answers = True

    async def trace(self, run: Sought) -> RunTrace | NoTrace:
        self.sought.append(run)
        if not self.answers:
            await asyncio.Event().wait()
        return self.known.get(run.run_id, NoTrace("not read: silence", silent=True))


def traced(tracer: FakeTracer, runs: list[dict[str, Any]], seconds: float = PLENTY) -> TracedAgents:
    request = a_request(data={"agents": [{"agent_id": "7", "runs": runs}]}, runs_per_agent=1000)
    assert isinstance(request.data, InlineData)
    return TracedAgents(InlineAgents(request, request.data, Window(None, NOON)), tracer, at(-60), NOON, seconds)


async def read(source: TracedAgents) -> PieceEvidence:
    (piece,) = await source.pieces()
    return await source.evidence(piece)


async def test_traces_are_joined_to_runs_by_id_in_whatever_order_they_come() -> None:
    tracer = FakeTracer(one=RunTrace(1.0, 0, ()), two=NoTrace("no trace found"))
    found = await read(traced(tracer, [{"run_id": "one", "output": "O"}, {"run_id": "two"}]))
    assert {row.id: row.values["trace"] for row in found.rows} == {"one": "found", "two": "no trace found"}
    assert next(row for row in found.rows if row.id == "one").values["output"] == "O"
    assert found.facts.telemetry is not None
    assert (found.facts.rows, found.facts.telemetry.traced) == (2, 1)


async def test_a_run_is_sought_by_its_trace_or_around_its_time_or_else_in_the_period() -> None:
    tracer = FakeTracer()
    started = at(-30)
    runs: list[dict[str, Any]] = [
        {"run_id": "1", "trace_id": "abc"},
        {"run_id": "2", "started_at": started.isoformat(), "duration_seconds": 5},
        {"run_id": "3"},
    ]
    await read(traced(tracer, runs))
    sought = {run.run_id: run for run in tracer.sought}
    hour = timedelta(hours=1)
    assert sought["1"].trace_id == "abc"
    assert sought["2"] == Sought("2", None, started - hour, started + hour + timedelta(seconds=5))
    assert sought["3"] == Sought("3", None, at(-60), NOON)


async def test_a_tracer_that_never_answers_costs_the_reports_time_for_telemetry_and_no_more() -> None:
    tracer = FakeTracer()
    tracer.answers = False
    found = await read(traced(tracer, [{"run_id": str(number)} for number in range(50)], seconds=0.01))
    assert {row.values["trace"] for row in found.rows} == {NO_TIME.why}
    assert found.facts.telemetry is not None
    assert found.facts.telemetry.untraced[0].runs == 50


async def test_the_time_is_one_for_all_agents_of_the_report() -> None:
    tracer = FakeTracer()
    tracer.answers = False
    source = traced(tracer, [{"run_id": "1"}], seconds=0.01)
    await read(source)
    tracer.answers = True
    asked = len(tracer.sought)
    found = await read(source)
    assert found.rows[0].values["trace"] == NO_TIME.why
    assert len(tracer.sought) == asked


async def test_one_that_was_silent_often_enough_is_not_asked_any_more() -> None:
    tracer = FakeTracer()
    source = traced(tracer, [{"run_id": str(number)} for number in range(SILENT_CALLS)])
    await read(source)
    await read(source)
    assert len(tracer.sought) == SILENT_CALLS


async def test_an_agent_without_runs_has_no_telemetry() -> None:
    found = await read(traced(FakeTracer(), []))
    assert found.facts.telemetry is None


async def test_what_traces_say_reaches_the_judge_and_the_columns_of_the_data_sheet() -> None:
    orchestrator = AnOrchestrator()
    tracer = FakeTracer(one=RunTrace(1.5, 2, ()))
    orchestrator.source = traced(tracer, [{"run_id": "one"}, {"run_id": "two"}])
    plan = await orchestrator.plans(a_request())
    assert {"trace", "trace_seconds", "trace_errors", "trace_tools"} <= set(plan.columns)
    (task, *_) = orchestrator.tasks
    (group,) = task.evidence
    assert {row.id: row.values.get("trace_errors") for row in group.rows} == {"one": 2, "two": None}
    assert group.facts.telemetry is not None
    assert group.facts.telemetry.untraced[0].why == "not read: silence"
