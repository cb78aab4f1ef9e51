"""What the trace of a run says: tool calls, time and errors, from spans as Jaeger's query API gives them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import fsum
from typing import NamedTuple

from pydantic import BaseModel, Field

from shared.evaluations import Scalar, Telemetry, Untraced

RUN_TAG = "run.id"
MICRO = 1_000_000
SHOWN_TOOLS = 20  # by name in a row; their sums count all
LONGEST_TOOL_NAME = 80

# A span is a tool call by the OpenTelemetry conventions for generative AI, by OpenInference's or by OpenLLMetry's.
_TOOL_MARKS = (
    ("gen_ai.operation.name", "execute_tool"),
    ("openinference.span.kind", "TOOL"),
    ("traceloop.span.kind", "tool"),
)
_TOOL_NAMES = ("gen_ai.tool.name", "tool.name", "traceloop.entity.name")
_ERROR_MARKS = (("error", "true"), ("otel.status_code", "ERROR"))


class Tag(BaseModel):
    """A tag of a span."""

    key: str
    value: bool | int | float | str | None = None


class Reference(BaseModel):
    """Whom a span was caused by."""

    span_id: str = Field(alias="spanID")


class Span(BaseModel):
    """A span; times in microseconds."""

    span_id: str = Field(alias="spanID")
    operation: str = Field("", alias="operationName")
    references: list[Reference] | None = None
    start: int = Field(0, alias="startTime")
    duration: int = 0
    tags: list[Tag] | None = None

    @cached_property
    def named(self) -> Mapping[str, str]:
        """Its tags as text; truth is `true`, as Jaeger's own search has it."""
        return {tag.key: str(tag.value).lower() if tag.value is True else str(tag.value) for tag in self.tags or ()}


class Trace(BaseModel):
    """The spans of a trace."""

    trace_id: str = Field("", alias="traceID")
    spans: list[Span] = []


class Traces(BaseModel):
    """What Jaeger answers."""

    data: list[Trace] | None = None


class ToolUse(NamedTuple):
    """All calls of one tool in a run."""

    name: str
    calls: int
    errors: int
    seconds: float


class RunTrace(NamedTuple):
    """What one run did, by its trace. `seconds` from the first span's start to the last one's end."""

    seconds: float
    errors: int
    tools: tuple[ToolUse, ...]

    @property
    def tool_calls(self) -> int:
        """Calls of all tools."""
        return sum(tool.calls for tool in self.tools)

    @property
    def tool_errors(self) -> int:
        """Calls of tools that failed."""
        return sum(tool.errors for tool in self.tools)


class NoTrace(NamedTuple):
    """Why nothing is known of a run: an expected case, told to judge and reader; `silent` if nobody answered."""

    why: str
    silent: bool = False


def run_trace(traces: Iterable[Trace], run_id: str) -> RunTrace | None:
    """What the traces say of a run; None if they hold no span.

    Where spans carry the run's id, they and what they caused count; of a trace without it, everything.
    """
    spans = [span for trace in traces for span in _of_run(trace.spans, run_id)]
    if not spans:
        return None
    seconds = max(span.start + span.duration for span in spans) - min(span.start for span in spans)
    return RunTrace(seconds / MICRO, sum(_failed(span.named) for span in spans), _tools(spans))


def columns(found: RunTrace | NoTrace) -> dict[str, Scalar]:
    """The fields that a trace adds to its run's row."""
    if isinstance(found, NoTrace):
        return {"trace": found.why}
    named = "; ".join(map(_said, found.tools[:SHOWN_TOOLS]))
    more = len(found.tools) - SHOWN_TOOLS
    return {
        "trace": "found",
        "trace_seconds": round(found.seconds, 3),
        "trace_errors": found.errors,
        "trace_tool_calls": found.tool_calls,
        "trace_tool_errors": found.tool_errors,
        "trace_tools": f"{named}; and {more} more" if more > 0 else named or "none",
    }


def summary(found: Sequence[RunTrace | NoTrace]) -> Telemetry:
    """What the traces of an agent's runs say together."""
    traced = [item for item in found if isinstance(item, RunTrace)]
    reasons: dict[str, int] = {}
    for item in found:
        if isinstance(item, NoTrace):
            reasons[item.why] = reasons.get(item.why, 0) + 1
    return Telemetry(
        traced=len(traced),
        tool_calls=sum(item.tool_calls for item in traced),
        tool_errors=sum(item.tool_errors for item in traced),
        errors=sum(item.errors for item in traced),
        mean_seconds=round(fsum(item.seconds for item in traced) / len(traced), 3) if traced else None,
        untraced=tuple(Untraced(why=why, runs=runs) for why, runs in sorted(reasons.items())),
    )


def _of_run(spans: Sequence[Span], run_id: str) -> Iterator[Span]:
    wanted = {span.span_id for span in spans if span.named.get(RUN_TAG) == run_id}
    if not wanted:
        others = any(RUN_TAG in span.named for span in spans)  # of other runs: none of this trace is ours
        return iter(() if others else spans)
    ours = _with_all_they_caused(wanted, spans)
    return (span for span in spans if span.span_id in ours)


def _with_all_they_caused(wanted: set[str], spans: Sequence[Span]) -> set[str]:
    caused: dict[str, list[str]] = {}
    for span in spans:
        for cause in span.references or ():
            caused.setdefault(cause.span_id, []).append(span.span_id)
    found = set(wanted)
    open_ids = list(wanted)
    while open_ids:
        new = [span_id for span_id in caused.get(open_ids.pop(), ()) if span_id not in found]
        found.update(new)
        open_ids += new
    return found


def _tools(spans: Iterable[Span]) -> tuple[ToolUse, ...]:
    """The tools used, the most used first."""
    found: dict[str, ToolUse] = {}
    for span in spans:
        tags = span.named
        if any(tags.get(key) == value for key, value in _TOOL_MARKS):
            name = next((tags[key] for key in _TOOL_NAMES if tags.get(key)), span.operation)[:LONGEST_TOOL_NAME]
            _, calls, errors, seconds = found.get(name, ToolUse(name, 0, 0, 0.0))
            found[name] = ToolUse(name, calls + 1, errors + _failed(tags), seconds + span.duration / MICRO)
    return tuple(sorted(found.values(), key=lambda tool: (-tool.calls, tool.name)))


def _failed(tags: Mapping[str, str]) -> bool:
    return any(tags.get(key) == value for key, value in _ERROR_MARKS)


def _said(tool: ToolUse) -> str:
    """`search: 3 calls, 1 failed, 2.5 s`."""
    calls = "1 call" if tool.calls == 1 else f"{tool.calls} calls"
    failed = f", {tool.errors} failed" if tool.errors else ""
    return f"{tool.name}: {calls}{failed}, {tool.seconds:.3g} s"
