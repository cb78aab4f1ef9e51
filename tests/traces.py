"""Traces as Jaeger's query API gives them."""

from collections.abc import Mapping
from typing import Any

MILLI = 1_000  # microseconds


def a_span(span_id: str, start_ms: int = 0, ms: int = 100, cause: str | None = None, **tags: Any) -> dict[str, Any]:
    """A span; `__` in the name of a tag stands for a dot."""
    return {
        "traceID": "abc",
        "spanID": span_id,
        "operationName": f"operation {span_id}",
        "references": [{"refType": "CHILD_OF", "traceID": "abc", "spanID": cause}] if cause else [],
        "startTime": 1_700_000_000_000_000 + start_ms * MILLI,
        "duration": ms * MILLI,
        "tags": [{"key": key.replace("__", "."), "type": "string", "value": value} for key, value in tags.items()],
        "logs": [],
        "processID": "p1",
    }


def a_tool_span(span_id: str, name: str, cause: str = "root", **more: Any) -> dict[str, Any]:
    """A call of a tool by the conventions of OpenTelemetry."""
    return a_span(span_id, cause=cause, gen_ai__operation__name="execute_tool", gen_ai__tool__name=name, **more)


def a_trace(*spans: Mapping[str, Any], trace_id: str = "abc") -> dict[str, Any]:
    """A trace of these spans."""
    return {"traceID": trace_id, "spans": list(spans), "processes": {"p1": {"serviceName": "agents"}}}


def an_answer(*traces: Mapping[str, Any]) -> dict[str, Any]:
    """What Jaeger answers with these traces."""
    return {"data": list(traces), "total": 0, "limit": 0, "offset": 0, "errors": None}


def the_run(run_id: str = "42") -> dict[str, Any]:
    """A run of 2 s: three calls of two tools, one of which failed, and a model call."""
    return a_trace(
        a_span("root", ms=2_000, run__id=run_id),
        a_tool_span("a", "search", start_ms=100),
        a_tool_span("b", "search", start_ms=300, ms=400, error=True),
        a_tool_span("c", "pay", start_ms=800),
        a_span("d", start_ms=900, cause="root", gen_ai__operation__name="chat"),
    )
