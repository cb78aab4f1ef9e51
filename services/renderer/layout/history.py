"""The history on About: how each generation ended, and what each retry made of the parts it judged again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from services.renderer.layout import words
from services.renderer.layout.results import Results
from shared.evaluations import Part
from shared.state import EarlierResult, Generation
from shared.statuses import final_status
from shared.vocabulary import PartStatus, Reason

MAX_CHANGES = 1_000  # lines about single parts, the latest retries first to be left out
NOT_KEPT = "not kept"


class Entry(NamedTuple):
    """A line of the history: what it is about, what it says, and what goes with it."""

    item: str
    value: str
    note: str = ""


class Stand(NamedTuple):
    """Where a part stood at the end of a generation."""

    generation: int
    status: PartStatus
    reason: Reason | None

    @property
    def text(self) -> str:
        """As words."""
        failed = self.status is not PartStatus.COMPLETED and self.reason is not None
        return f"{self.status}: {words.reason(self.reason)}" if failed else str(self.status)


def history(results: Results) -> Iterator[Entry]:
    """Nothing where the report was never retried."""
    if results.report.generation == 1:
        return
    changes = _changes(results)
    room = MAX_CHANGES
    for reached in results.report.generations:
        mine = changes.get(reached.generation, [])
        yield _ended(results, reached, len(mine))
        yield from mine[:room]
        if len(mine) > room:
            yield Entry("And more", f"{len(mine) - room:,}", f"parts judged again in generation {reached.generation}")
        room = max(0, room - len(mine))


def _ended(results: Results, reached: Generation, retried: int) -> Entry:
    """How a generation ended. Of this one the status is computed: it is final only when this workbook is stored."""
    is_this = reached.generation == results.report.generation
    status = final_status(results.report) if is_this else reached.status
    what = f"{reached.completed:,} of {results.total:,} parts completed"
    begun = "planned" if reached.generation == 1 else f"{retried:,} parts judged again; asked for"
    file = "this one" if is_this else f"sha256 {reached.workbook.sha256}" if reached.workbook else "none"
    return Entry(
        f"Generation {reached.generation}",
        f"{status.replace('_', ' ')}; {what}",
        f"{begun} {_time(reached.planned_at)}, last outcome {_time(reached.evaluated_at)}; workbook: {file}",
    )


def _changes(results: Results) -> dict[int, list[Entry]]:
    """What became of the parts that were judged again, by generation, in the reader's order."""
    earlier: dict[str, list[EarlierResult]] = {}
    for result in results.past.earlier:
        earlier.setdefault(result.part_id, []).append(result)
    changes: dict[int, list[Entry]] = {}
    for part in results.parts:
        if part.generation == 1:
            continue
        before: Stand | None = None
        for stand in _stands(part, earlier.get(part.part_id, [])):
            if stand.generation > 1:
                said = f"{before.text if before else NOT_KEPT} → {stand.text}"
                changes.setdefault(stand.generation, []).append(Entry(f"Judged again: {words.name(part)}", said))
            before = stand
    return changes


def _stands(part: Part, earlier: list[EarlierResult]) -> list[Stand]:
    known = [Stand(result.generation, result.status, result.reason) for result in earlier]
    return [*known, Stand(part.generation, part.status, part.reason)]


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else words.NOT_KNOWN
