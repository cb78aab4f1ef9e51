"""Carries along whom the work at hand is about, and tells an OpenTelemetry collector of it where one is configured."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from faststream import BaseMiddleware
from pydantic import BaseModel

from shared.traces import HEADER, About, Trace, about, derived

if TYPE_CHECKING:  # heavy: loaded where traces are wanted
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_current: ContextVar[About | None] = ContextVar("about", default=None)
_asked: ContextVar[str | None] = ContextVar("asked", default=None)  # with this traceparent, over HTTP
_provider: "TracerProvider | None" = None  # one per process, as the logs have one


class Ended:
    """What a span is told at its end; without a collector nobody listens."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span

    def note(self, **attributes: str | float) -> None:
        """Add attributes. Never text of prompts, evidence or answers."""
        if self._span is not None:
            self._span.set_attributes(attributes)


def current() -> About | None:
    """Whom the work at hand is about, if that is known."""
    return _current.get()


def trace_of(report_id: str | None) -> Trace | None:
    """Where a message that is sent now stands: in the trace at hand, else in its report's own."""
    found = _current.get()
    return found.trace if found is not None else derived(report_id) if report_id else None


@contextmanager
def working_on(report_id: str, part_id: str | None = None, header: str | None = None) -> Iterator[None]:
    """All that is done inside is about this; `header` is the traceparent that came with it."""
    token = _current.set(about(report_id, part_id, header))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def asked_with(header: str | None) -> Iterator[None]:
    """What is published inside continues the trace of whoever asks over HTTP, if there is one."""
    token = _asked.set(header)
    try:
        yield
    finally:
        _asked.reset(token)


def asked_in() -> str | None:
    """The traceparent of whoever asks over HTTP."""
    return _asked.get()


@contextmanager
def span(name: str, **attributes: str | float) -> Iterator[Ended]:
    """A step of the work at hand, in its trace; nothing without a collector, or where nobody knows whom it is about."""
    found = _current.get()
    if _provider is None or found is None:
        yield Ended()
        return
    from opentelemetry import trace  # noqa: PLC0415  # not loaded where traces are off

    place = trace.SpanContext(
        int(found.trace.trace_id, 16),
        int(found.trace.span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(found.trace.flags, 16)),
    )
    parent = trace.set_span_in_context(trace.NonRecordingSpan(place))
    known = {"assay.report_id": found.report_id, **({"assay.part_id": found.part_id} if found.part_id else {})}
    with _provider.get_tracer("assay").start_as_current_span(name, parent, attributes={**known, **attributes}) as made:
        here = Trace(found.trace.trace_id, f"{made.get_span_context().span_id:016x}", found.trace.flags)
        token = _current.set(found._replace(trace=here))
        try:
            yield Ended(made)
        finally:
            _current.reset(token)


def set_up(room: str, version: str, endpoint: str) -> None:
    """Send spans to the collector at this address; nothing is loaded where it is empty."""
    global _provider  # noqa: PLW0603  # of the process, as its logs are
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # heavy
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": f"assay-{room}", "service.version": version})
    _provider = TracerProvider(resource=resource)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))


def shut_down() -> None:
    """Send what is left."""
    if _provider is not None:
        _provider.shutdown()


class Tracing(BaseMiddleware[Any, Any]):
    """Has everything that is done about one record know whom it is about."""

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:  # noqa: ANN401  # FastStream's own types
        """Handle the record inside a span; batches are told apart by report where they are handled."""
        decoded = await msg.decode()
        report_id = getattr(decoded, "report_id", None)
        if not isinstance(decoded, BaseModel) or not isinstance(report_id, str):
            return await call_next(msg)
        part_id = getattr(decoded, "part_id", None)
        with working_on(report_id, part_id, header_of(msg.headers)), span(type(decoded).__name__):
            return await call_next(msg)


def header_of(headers: Mapping[str, Any]) -> str | None:
    """The traceparent among a message's headers."""
    found = headers.get(HEADER)
    return found if isinstance(found, str) else None
