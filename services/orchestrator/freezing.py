"""Freezes a report's evidence and tasks into the store piece by piece, and at the end its plan and parts at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from services.orchestrator.evidence import Cut, cut, frozen, shown
from services.orchestrator.pieces import Piece, PieceEvidence, Source
from services.orchestrator.planning import (
    LONGEST_NAME,
    Settled,
    overview_may_be_concurrent,
    overview_part,
    piece_part,
    plan_of,
    task_of,
)
from services.orchestrator.tokens import Budget, budget_of, estimated_tokens
from shared.evaluations import EvidenceGroup, Part
from shared.messages import EvaluationTask
from shared.settings import ReportSettings
from shared.state import Plan
from shared.store import Store
from shared.store.evidence import PieceRows
from shared.store.tasks import StoredTask
from shared.together import together

MOST_WAITING_BYTES = 4_000_000  # of evidence, before it is written
ROWS_IN_THE_LOOP = 50  # of a piece; more of them would keep the event loop from all else
LEAST_OVERVIEW_ROWS = 4  # of each piece in a concurrent overview, shortened as needed
LONGEST_DESCRIPTION = 4_000  # characters in a task
DESCRIPTION_SHARE = 8  # a description has an eighth of its piece's share in characters, which are up to 6 bytes each
LARGEST_OVERVIEW_BYTES = 850_000  # of evidence with its headings: all else in a task takes less than 50 kB
TOO_MANY_PIECES = "The overview was judged after the parts: there are too many of them to be judged at once."


class Freezer:
    """One attempt at planning. Everything it stores before the plan stands under its token and counts for nothing."""

    def __init__(
        self, store: Store, settings: ReportSettings, settled: Settled, token: str, expires_at: datetime
    ) -> None:
        self.rows = 0
        self._budget = budget_of(settled.request, settings.evidence_bytes, settings.context_tokens)
        self._left = self._budget
        self._overview_bytes = 0
        self._store = store
        self._settings = settings
        self._settled = settled
        self._token = token
        self._expires_at = expires_at
        self._parts: list[Part] = []
        self._overview: list[EvidenceGroup] = []
        self._columns: dict[str, None] = {}
        self._signs: Counter[str] = Counter()
        self._waiting_rows: list[PieceRows] = []
        self._waiting_tasks: list[StoredTask] = []
        self._waiting_bytes = 0

    @property
    def fits_one_task(self) -> bool:
        """All evidence together is within the budget of one task."""
        return min(self._left) >= 0

    async def freeze(self, source: Source, pieces: Sequence[Piece]) -> None:
        """Read, cut and store every piece."""
        async for index, found in self._read(source, pieces):
            if len(found.rows) > ROWS_IN_THE_LOOP:
                await asyncio.to_thread(self._piece, index, found)  # it takes a second for some MB
            else:
                self._piece(index, found)
            if self._waiting_bytes > MOST_WAITING_BYTES:
                await self._write()
        await self._write()

    async def store(self, *, concurrent: bool, planned_at: datetime) -> Plan:
        """Store the overview's task, then plan and parts; return the plan that holds."""
        too_many = concurrent and self._overview_bytes > LARGEST_OVERVIEW_BYTES
        concurrent = concurrent and not too_many
        overview = overview_part(self._settled, stage=0 if concurrent else 1)
        task = task_of(self._settled, overview, self._overview if concurrent else ())
        await self._store.tasks.insert(self._token, [_stored(overview.index, task)], self._expires_at)
        plan = plan_of(
            self._settled,
            token=self._token,
            planned_at=planned_at,
            concurrent=concurrent,
            rows=self.rows,
            without_data=sum(part.facts.rows == 0 for part in self._parts),
            columns=tuple(self._columns),
            notes=(TOO_MANY_PIECES,) if too_many else (),
            signs=self._signs,
            evidence_tokens=self._budget.tokens,
        )
        return await self._store.plans.store(plan, (*self._parts, overview), self._expires_at)

    async def _read(self, source: Source, pieces: Sequence[Piece]) -> AsyncIterator[tuple[int, PieceEvidence]]:
        """A bounded number of pieces at once, in their order."""
        width = self._settings.source_reads
        for start in range(0, len(pieces), width):
            async with together() as group:
                reads = [group.create_task(source.evidence(piece)) for piece in pieces[start : start + width]]
            for offset, read in enumerate(reads):
                yield start + offset, read.result()

    def _piece(self, index: int, found: PieceEvidence) -> None:
        rows = shown(found.rows, min(self._settings.row_bytes, self._budget.row_bytes))
        size = sum(row.size for row in rows)
        self._left = Budget(self._left.size - size, self._left.tokens - sum(row.tokens for row in rows))
        chosen = cut(rows, found.total, self._budget)
        kept = frozen(found.piece.key, found.rows, chosen.used)
        self._signs.update(sign for row in kept for sign in row.signs)
        suspicious = sum(bool(row.signs) for row in kept)
        group = _group(found, chosen._replace(coverage=chosen.coverage.model_copy(update={"suspicious": suspicious})))
        part = piece_part(self._settled, index, found.piece, group)
        self._parts.append(part)
        self.rows += len(found.rows)
        for row in found.rows:
            self._columns.update(dict.fromkeys(row.values))
        if overview_may_be_concurrent(self._settled.request):
            self._overview.append(self._overview_group(found))
        self._waiting_rows.append(PieceRows(index, kept))
        if found.rows:
            self._waiting_tasks.append(_stored(index, task_of(self._settled, part, [group])))
        self._waiting_bytes += size

    async def _write(self) -> None:
        """Many pieces in two writes, side by side."""
        async with together() as writes:
            writes.create_task(self._store.evidence.insert(self._token, self._waiting_rows, self._expires_at))
            writes.create_task(self._store.tasks.insert(self._token, self._waiting_tasks, self._expires_at))
        self._waiting_rows.clear()
        self._waiting_tasks.clear()
        self._waiting_bytes = 0

    def _overview_group(self, found: PieceEvidence) -> EvidenceGroup:
        """The piece's share of a concurrent overview's evidence."""
        share = self._budget.share(self._settled.pieces)
        longest = min(share.size // DESCRIPTION_SHARE, LONGEST_DESCRIPTION)
        heading = _group(found, cut((), found.total, share), longest).model_dump_json().encode()
        room = Budget(max(0, share.size - len(heading)), max(0, share.tokens - estimated_tokens(heading)))
        rows = shown(found.rows, min(room.row_bytes // LEAST_OVERVIEW_ROWS, self._settings.row_bytes))
        self._overview_bytes += max(len(heading), share.size)
        return _group(found, cut(rows, found.total, room), longest)


def _group(found: PieceEvidence, chosen: Cut, longest: int = LONGEST_DESCRIPTION) -> EvidenceGroup:
    description = found.piece.description
    return EvidenceGroup(
        key=found.piece.key,
        name=found.piece.name[:LONGEST_NAME],
        description=description[:longest] if description else None,
        facts=found.facts,
        coverage=chosen.coverage,
        rows=chosen.rows,
    )


def _stored(index: int, task: EvaluationTask) -> StoredTask:
    return StoredTask(index, task.lane, task.partition, task.model_dump_json())
