"""Adds to the runs of agents what their traces say: a source around a source, best effort, within its own time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.orchestrator.jaeger import Sought
from services.orchestrator.pieces import Piece, PieceEvidence, Source
from services.orchestrator.spans import NoTrace, RunTrace, columns, summary
from shared.evaluations import EvidenceRow

SILENT_CALLS = 20  # in a row: the rest of the report's runs are not asked for
AROUND_A_RUN = timedelta(hours=1)  # clocks differ, and a run's time may be that of its end

NO_TIME = NoTrace("not read: the time for telemetry was up")
SILENT = NoTrace("not read: Jaeger does not answer")


class Tracer(Protocol):
    """Who knows the traces of runs."""

    async def trace(self, run: Sought) -> RunTrace | NoTrace:
        """What the trace of a run says, or why it says nothing."""


class TracedAgents:
    """Agents whose runs carry what is known of them; the calls for a report end `seconds` after the first of them."""

    def __init__(self, source: Source, tracer: Tracer, since: datetime | None, until: datetime, seconds: float) -> None:
        self._source = source
        self._tracer = tracer
        self._since = since
        self._until = until
        self._seconds = seconds
        self._ends_at: float | None = None
        self._silent = 0

    async def pieces(self) -> Sequence[Piece]:
        """The agents, as the source has them."""
        return await self._source.pieces()

    async def evidence(self, piece: Piece) -> PieceEvidence:
        """The agent's last runs, each with what its trace says or why it says nothing."""
        found = await self._source.evidence(piece)
        if not found.rows:
            return found
        if self._ends_at is None:
            self._ends_at = asyncio.get_running_loop().time() + self._seconds
        async with asyncio.TaskGroup() as group:
            reads = [group.create_task(self._trace(row, self._ends_at)) for row in found.rows]
        traces = [read.result() for read in reads]
        rows = tuple(_with(row, trace) for row, trace in zip(found.rows, traces, strict=True))
        facts = found.facts.model_copy(update={"telemetry": summary(traces)})
        return found._replace(rows=rows, facts=facts)

    async def _trace(self, row: EvidenceRow, ends_at: float) -> RunTrace | NoTrace:
        if self._silent >= SILENT_CALLS:
            return SILENT
        if asyncio.get_running_loop().time() >= ends_at:
            return NO_TIME
        try:
            async with asyncio.timeout_at(ends_at):
                found = await self._tracer.trace(_sought(row, self._since, self._until))
        except TimeoutError:
            return NO_TIME
        self._silent = self._silent + 1 if isinstance(found, NoTrace) and found.silent else 0
        return found


def _with(row: EvidenceRow, trace: RunTrace | NoTrace) -> EvidenceRow:
    return EvidenceRow(id=row.id, values={**row.values, **columns(trace)})


def _sought(row: EvidenceRow, since: datetime | None, until: datetime) -> Sought:
    trace_id = row.values.get("trace_id")
    started = _moment(row.values.get("started_at"))
    seconds = row.values.get("duration_seconds")
    if started is not None:
        since = started - AROUND_A_RUN
        until = started + AROUND_A_RUN + timedelta(seconds=seconds if isinstance(seconds, int | float) else 0)
    return Sought(row.id, str(trace_id) if trace_id else None, since, until)


def _moment(value: object) -> datetime | None:
    """Evidence is stored as JSON, which has no times; planning wrote those of runs in UTC."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None
