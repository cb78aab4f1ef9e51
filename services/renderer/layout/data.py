"""The sheets `Runs` and `Reviews`: the frozen evidence, row by row, as wide as a sample of it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.renderer.cells import CellValue
from services.renderer.layout import prose, words
from services.renderer.layout.places import Places
from services.renderer.layout.results import Results
from services.renderer.layout.values import (
    LETTERS_PER_UNIT,
    LINE_POINTS,
    ROW_PADDING_POINTS,
    Column,
    Format,
    fitting_width,
)
from shared.evaluations import FrozenRow

MOST_LINES = 3  # evidence is long: so many lines show, the cell holds the rest
MAX_EVIDENCE_COLUMNS = 1_000
WIDEST = 60

_TIMES = frozenset({"started_at", "created_at", "finished_at", "ended_at", "updated_at"})
_HEADERS = {
    "input": "Input",
    "output": "Output",
    "status": "Run status",
    "duration_seconds": "Duration (s)",
    "tokens": "Tokens",
    "cost_usd": "Cost (USD)",
    "model": "Model",
    "text": "Text",
    "translation": "Translation",
    "rating": "Rating",
    "recommended": "Recommended",
    "language": "Language code",
    "trace": "Trace",
    "trace_seconds": "Trace (s)",
    "trace_errors": "Errors in trace",
    "trace_tool_calls": "Tool calls",
    "trace_tool_errors": "Tool calls that failed",
    "trace_tools": "Tools",
}
_FORMATS = {
    "duration_seconds": Format.SECONDS,
    "tokens": Format.COUNT,
    "cost_usd": Format.MONEY,
    "rating": Format.DECIMAL,
    "trace_seconds": Format.SECONDS,
    "trace_errors": Format.COUNT,
    "trace_tool_calls": Format.COUNT,
    "trace_tool_errors": Format.COUNT,
}


@dataclass(frozen=True, slots=True)
class DataTable:
    """The evidence as a table that is written row by row, continued on the next of `sheets` where one is full."""

    sheets: tuple[str, ...]
    columns: tuple[Column[FrozenRow], ...]

    def sheet(self, number: int) -> str:
        """The name of the n-th sheet; one that was not foreseen, as the plan counted fewer rows, is named like them."""
        return self.sheets[number - 1] if number <= len(self.sheets) else f"{self.sheets[0]} ({number})"

    def widths(self, sample: Sequence[FrozenRow]) -> tuple[float, ...]:
        """Widths that fit the header and the sample."""
        return tuple(
            fitting_width(column.header, [column.value(row) for row in sample], column.widest)
            for column in self.columns
        )

    def row_points(self, sample: Sequence[FrozenRow], widths: Sequence[float]) -> float:
        """The one height of all rows: what the sample needs, within reason."""
        texts = (
            prose.lines(value, width * LETTERS_PER_UNIT)
            for row in sample
            for column, width in zip(self.columns, widths, strict=True)
            if isinstance(value := column.value(row), str)
        )
        return min(max(texts, default=1), MOST_LINES) * LINE_POINTS + ROW_PADDING_POINTS


SUSPICIOUS: Column[FrozenRow] = Column("Suspicious", lambda frozen: ", ".join(frozen.signs) or None, widest=40)


def data_table(results: Results, places: Places) -> DataTable:
    """The part's name, the row's id, whether the judge saw it, what is suspicious, then the plan's fields."""
    piece, row = ("Agent", "run") if results.is_agents else ("Language", "review")
    names = {part.key: words.name(part) for part in results.pieces}
    fields = [field for field in results.plan.columns if field != f"{row}_id"][:MAX_EVIDENCE_COLUMNS]
    return DataTable(
        places.data,
        (
            Column(piece, lambda frozen: names.get(frozen.key, frozen.key), widest=32),
            Column(f"{row.capitalize()} ID", lambda frozen: frozen.row.id, Format.ID, widest=40),
            Column("Shown to the judge", lambda frozen: "yes" if frozen.used else "no"),
            *([SUSPICIOUS] if results.plan.signs else []),
            *(_evidence_column(field) for field in fields),
        ),
    )


def _evidence_column(field: str) -> Column[FrozenRow]:
    if field in _TIMES:
        header = f"{field.removesuffix('_at').capitalize()} (UTC)"
        return Column(header, lambda frozen: _moment(frozen.row.values, field), Format.TIME, WIDEST)
    header = _HEADERS.get(field, field)
    return Column(header, lambda frozen: frozen.row.values.get(field), _FORMATS.get(field, Format.TEXT), WIDEST)


def _moment(values: Mapping[str, str | int | float | bool | None], field: str) -> CellValue:
    """Evidence is stored as JSON, which has no times; what is not one stays as it is."""
    value = values.get(field)
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value
