"""What the trace of a run says."""

from typing import Any

import pytest

from services.orchestrator.spans import NoTrace, RunTrace, ToolUse, Traces, columns, run_trace, summary
from shared.evaluations import Telemetry, Untraced
from tests.traces import a_span, a_tool_span, a_trace, an_answer, the_run


def read(*traces: dict[str, Any], run_id: str = "42") -> RunTrace | None:
    return run_trace(Traces.model_validate(an_answer(*traces)).data or [], run_id)


def test_a_run_is_its_time_its_errors_and_its_tools_the_most_used_first() -> None:
    assert read(the_run()) == RunTrace(2.0, 1, (ToolUse("search", 2, 1, 0.5), ToolUse("pay", 1, 0, 0.1)))


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"gen_ai__operation__name": "execute_tool", "gen_ai__tool__name": "search"}, "search"),
        ({"openinference__span__kind": "TOOL", "tool__name": "search"}, "search"),
        ({"traceloop__span__kind": "tool", "traceloop__entity__name": "search"}, "search"),
        ({"gen_ai__operation__name": "execute_tool"}, "operation a"),
    ],
)
def test_a_tool_is_known_by_each_of_the_three_conventions(tags: dict[str, Any], name: str) -> None:
    found = read(a_trace(a_span("root", run__id="42"), a_span("a", cause="root", **tags)))
    assert found is not None
    assert [tool.name for tool in found.tools] == [name]


@pytest.mark.parametrize("tags", [{"error": True}, {"error": "true"}, {"otel__status_code": "ERROR"}])
def test_an_error_is_known_however_it_is_marked(tags: dict[str, Any]) -> None:
    found = read(a_trace(a_span("root", run__id=42, **tags)))
    assert found is not None
    assert found.errors == 1


def test_of_a_trace_that_several_runs_share_only_the_runs_own_spans_count() -> None:
    trace = a_trace(
        a_span("mine", run__id="42"),
        a_tool_span("a", "search", cause="mine"),
        a_tool_span("b", "search", cause="a"),
        a_span("other", run__id="43", ms=9_000),
        a_tool_span("c", "pay", cause="other"),
    )
    found = read(trace)
    assert found is not None
    assert [(tool.name, tool.calls) for tool in found.tools] == [("search", 2)]
    assert found.seconds < 1


def test_a_trace_without_any_runs_id_counts_as_a_whole_and_one_of_other_runs_not_at_all() -> None:
    assert read(a_trace(a_span("root"), a_tool_span("a", "search"))) is not None
    assert read(a_trace(a_span("root", run__id="43"))) is None
    assert read() is None


def test_spans_that_name_each_other_as_their_cause_are_read_to_the_end() -> None:
    found = read(a_trace(a_span("a", cause="b", run__id="42"), a_span("b", cause="a")))
    assert found is not None


def test_a_run_with_many_tools_names_the_most_used_and_counts_all() -> None:
    spans = [a_tool_span(str(number), f"tool {number:02}") for number in range(25)]
    found = read(a_trace(a_span("root", run__id="42"), *spans))
    assert found is not None
    said = columns(found)
    assert said["trace_tool_calls"] == 25
    assert str(said["trace_tools"]).endswith("tool 19: 1 call, 0.1 s; and 5 more")


def test_a_row_says_what_was_found_or_why_nothing() -> None:
    found = read(the_run())
    assert found is not None
    assert columns(found) == {
        "trace": "found",
        "trace_seconds": 2.0,
        "trace_errors": 1,
        "trace_tool_calls": 3,
        "trace_tool_errors": 1,
        "trace_tools": "search: 2 calls, 1 failed, 0.5 s; pay: 1 call, 0.1 s",
    }
    assert columns(NoTrace("no trace found")) == {"trace": "no trace found"}


def test_the_summary_counts_what_was_found_and_what_was_not_by_its_reason() -> None:
    found = read(the_run())
    assert found is not None
    none, late = NoTrace("no trace found"), NoTrace("too late")
    assert summary([found, none, late, none, found]) == Telemetry(
        traced=2,
        tool_calls=6,
        tool_errors=2,
        errors=2,
        mean_seconds=2.0,
        untraced=(Untraced(why="no trace found", runs=2), Untraced(why="too late", runs=1)),
    )
    assert summary([none]).mean_seconds is None
