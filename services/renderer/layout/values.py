"""The words a layout is written in: formats, tones, cells, columns, tables, charts and sheets, all frozen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, NamedTuple, TypeVar

from services.renderer.cells import CellValue
from services.renderer.layout import prose

T = TypeVar("T")

LINE_POINTS = 13.5  # the height of a line
ROW_PADDING_POINTS = 3.0
TITLE_POINTS = 24.0
LETTERS_PER_UNIT = 1.1  # widths are in digits of a larger font
MAX_LINES = 28  # Excel's rows end at 409 points; what is clipped stays in the cell
NUMBER_WIDTH = 9
TIME_WIDTH = 19
NARROWEST = 8
PADDING = 3
PAGE_WIDTH = 240  # what is legible on a printed page; a wider table goes on beside it
HEADER_PADDING = 5  # room for the filter's arrow


class Format(StrEnum):
    """How a value is shown, in Excel's own notation."""

    TEXT = "General"
    ID = "@"
    COUNT = "#,##0"
    SCORE = "0.00"
    CHANGE = "+0.00;-0.00;0.00"
    POINTS = "+0.0%;-0.0%;0.0%"
    DECIMAL = "0.0#"
    PERCENT = "0.0%"
    SHARE = "0%"
    MONEY = '"$"#,##0.0000'
    SECONDS = "#,##0.0"
    TIME = "yyyy-mm-dd hh:mm:ss"

    @property
    def is_number(self) -> bool:
        """Aligned to the right, its words too, so that a column has one edge."""
        return self not in {Format.TEXT, Format.ID, Format.TIME}


class Tone(StrEnum):
    """What a cell is to the reader. Colour follows from it and never stands alone: the words say the same."""

    PLAIN = "plain"
    TITLE = "title"
    HEADING = "heading"
    HEADER = "header"
    LABEL = "label"
    MUTED = "muted"
    LINK = "link"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Look(NamedTuple):
    """All that decides the style of a cell before its text is known. What is not in a table has no rules, no wrap."""

    format: Format = Format.TEXT
    tone: Tone = Tone.PLAIN
    in_table: bool = True

    @property
    def to_the_right(self) -> bool:
        """Numbers are aligned to the right in tables, where they are compared."""
        return self.in_table and self.format.is_number


class Cell(NamedTuple):
    """A value with its look; `link` is the address inside the workbook it leads to."""

    value: CellValue
    look: Look = Look()
    link: str | None = None


Row = tuple[Cell, ...]


def text(value: CellValue, tone: Tone = Tone.PLAIN, *, in_table: bool = True, link: str | None = None) -> Cell:
    """A cell of words."""
    return Cell(value, Look(Format.TEXT, tone, in_table), link)


def number(value: CellValue, shown: Format, tone: Tone = Tone.PLAIN) -> Cell:
    """A cell with a number or a time; words in its place are muted."""
    return Cell(value, Look(shown, Tone.MUTED if isinstance(value, str) and tone is Tone.PLAIN else tone))


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column of a table: what it is called, what it says of a row, and how."""

    header: str
    value: Callable[[T], CellValue]
    format: Format = Format.TEXT
    widest: int = 40
    tone: Callable[[T], Tone] = lambda _: Tone.PLAIN
    link: Callable[[T], str | None] = lambda _: None
    deepest: float | None = None  # the number with the deepest shade behind it

    def cell(self, row: T) -> Cell:
        """What the column says of this row."""
        value, tone = self.value(row), self.tone(row)
        if tone is Tone.PLAIN and isinstance(value, str) and self.format not in {Format.TEXT, Format.ID}:
            tone = Tone.MUTED  # words where a number is expected say why there is none
        shown = Format.TIME if isinstance(value, datetime) else self.format
        return Cell(value, Look(shown, tone), self.link(row))

    @property
    def head(self) -> Cell:
        """The header."""
        return Cell(self.header, Look(self.format if self.format.is_number else Format.TEXT, Tone.HEADER))


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart over rows of its own sheet: names in one column, values in others, titled by `header_row`."""

    title: str
    shape: Literal["bars", "columns", "stacked"]
    anchor: str
    header_row: int
    first_row: int
    last_row: int
    names: int
    values: tuple[int, ...]
    format: Format
    axis: str = ""
    colours: tuple[str, ...] = ()
    maximum: float | None = None
    width_cm: float = 14.5
    height_cm: float = 9.0


class Shade(NamedTuple):
    """A shade behind the numbers of a column, from 0 to `deepest`; words have none."""

    column: int
    first_row: int
    last_row: int
    deepest: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, ready to be written. Rows count from 1; the table under `header_row` is frozen, filtered, repeated."""

    name: str
    rows: tuple[Row, ...]
    widths: tuple[float, ...]
    header_row: int | None = None
    last_row: int | None = None
    frozen_columns: int = 0
    heights: Mapping[int, float] = field(default_factory=dict)
    wide_rows: tuple[int, ...] = ()  # outside tables: the first cell takes the width of all columns
    charts: tuple[Chart, ...] = ()
    shades: tuple[Shade, ...] = ()
    right_to_left: bool = False
    one_page: bool = False
    tone: Tone = Tone.PLAIN

    @property
    def pages_across(self) -> int:
        """How many printed pages the columns take side by side."""
        return pages_across(self.widths)


def table_sheet(
    name: str,
    columns: Sequence[Column[T]],
    records: Iterable[T],
    *,
    above: Sequence[Row] = (),
    below: Sequence[Row] = (),
    charts: Sequence[Chart] = (),
    frozen_columns: int = 0,
    wide_rows: Sequence[int] = (),
    right_to_left: bool = False,
    tone: Tone = Tone.PLAIN,
) -> Sheet:
    """A sheet with one table, rows of words above and below it, and its columns as wide as what they hold."""
    body = [tuple(column.cell(record) for column in columns) for record in records]
    table = [tuple(column.head for column in columns), *body]
    widths = tuple(
        fitting_width(column.header, [row[index].value for row in body], column.widest)
        for index, column in enumerate(columns)
    )
    rows = (*above, *table, *below)
    return Sheet(
        name=name,
        rows=rows,
        widths=widths,
        header_row=len(above) + 1,
        last_row=len(above) + len(table),
        heights=heights(rows, widths),
        frozen_columns=frozen_columns,
        wide_rows=tuple(wide_rows),
        charts=tuple(charts),
        shades=_shades(columns, len(above) + 1, len(body)),
        right_to_left=right_to_left,
        tone=tone,
    )


def pages_across(widths: Sequence[float]) -> int:
    """How many printed pages columns of these widths take side by side."""
    return -int(-sum(widths) // PAGE_WIDTH) or 1


def _shades(columns: Sequence[Column[T]], header_row: int, count: int) -> tuple[Shade, ...]:
    return tuple(
        Shade(number, header_row + 1, header_row + count, column.deepest)
        for number, column in enumerate(columns, 1)
        if column.deepest is not None and count
    )


def heights(rows: Sequence[Row], widths: Sequence[float]) -> Mapping[int, float]:
    """The heights of the rows that take more than a line, as not every program that opens a workbook works them out."""
    needed = {number: _points(row, widths) for number, row in enumerate(rows, 1)}
    return {number: points for number, points in needed.items() if points}


def fitting_width(header: str, values: Iterable[CellValue], widest: int) -> float:
    """The width of a column that holds these values; its header may wrap, but not within a word."""
    content = max((_value_width(value) for value in values), default=0) + PADDING
    words = max(map(prose.width, header.split()), default=0) + HEADER_PADDING
    return float(max(min(content, widest), min(words, widest), NARROWEST))


def _value_width(value: CellValue) -> int:
    if isinstance(value, str):
        return prose.width(value)
    if isinstance(value, datetime):
        return TIME_WIDTH
    return 0 if value is None else NUMBER_WIDTH if isinstance(value, float) else len(f"{value:,}")


def _points(row: Row, widths: Sequence[float]) -> float | None:
    if any(cell.look.tone is Tone.TITLE for cell in row):
        return TITLE_POINTS
    wrapped = (
        prose.lines(cell.value, columns * LETTERS_PER_UNIT)
        for cell, columns in zip(row, widths, strict=False)
        if isinstance(cell.value, str) and cell.look.in_table
    )
    lines = min(max(wrapped, default=1), MAX_LINES)
    return lines * LINE_POINTS + ROW_PADDING_POINTS if lines > 1 else None
