"""Writes a report as an Excel file: the only folder that knows openpyxl. The same report gives the same bytes."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

from services.renderer.layout.about import Written
from services.renderer.layout.book import book
from services.renderer.layout.data import DataTable
from services.renderer.layout.places import MAX_ROWS
from services.renderer.layout.summary import title
from services.renderer.layout.values import LINE_POINTS, ROW_PADDING_POINTS, Look
from services.renderer.past import NO_PAST, Past
from services.renderer.workbook.file import File
from services.renderer.workbook.frame import Frame
from services.renderer.workbook.pen import Tally
from shared.evaluations import FrozenRow, Part
from shared.state import Plan, Report

__all__ = ["Draft", "Written", "begin", "discard", "finish", "write"]

HEADER_POINTS = 2 * LINE_POINTS + ROW_PADDING_POINTS
SAMPLE_ROWS = 200  # of the evidence, for the widths of its columns
MAX_SHEET_CHARACTERS = 400_000_000  # of XML: no program opens a larger sheet, and a zip entry needs 64 bits at 2 GiB


class Draft(NamedTuple):
    """A workbook with nothing but its evidence yet: so many rows on so many sheets."""

    file: File
    rows: int
    sheets: int


async def write(
    path: Path,
    plan: Plan,
    report: Report,
    parts: Sequence[Part],
    rows: AsyncIterable[FrozenRow],
    *,
    rows_per_sheet: int = MAX_ROWS,
    past: Past = NO_PAST,
) -> Written:
    """Write the workbook to `path`. `parts` in any order; `rows` in the plan's, a few of them in memory at a time.

    Blocks between two rows: it belongs into a process of its own.
    """
    draft = await begin(plan, report, parts, rows, rows_per_sheet=rows_per_sheet)
    return finish(draft, path, plan, report, parts, rows_per_sheet=rows_per_sheet, past=past)


async def begin(
    plan: Plan, report: Report, parts: Sequence[Part], rows: AsyncIterable[FrozenRow], *, rows_per_sheet: int = MAX_ROWS
) -> Draft:
    """Write what no outcome changes, the evidence. `finish` or `discard` the draft."""
    file = File()
    with file:
        table = book(plan, report, parts, rows_per_sheet).data
        return await _write_evidence(file, table, rows, rows_per_sheet)


def finish(
    draft: Draft,
    path: Path,
    plan: Plan,
    report: Report,
    parts: Sequence[Part],
    *,
    rows_per_sheet: int = MAX_ROWS,
    past: Past = NO_PAST,
) -> Written:
    """Write the rest, and the file. The same report gives the same bytes, however long the draft has waited."""
    laid_out = book(plan, report, parts, rows_per_sheet, past)
    file, count, sheets = draft
    with file:
        for number, sheet in enumerate(laid_out.before):
            file.add(sheet, selected=number == 0)
        file.first_sheets_last(sheets)
        file.add(laid_out.distribution)
        own = Tally()  # About says how many cells took a change, its own included
        own.add_rows(laid_out.about(Written(0, 0, count)).rows)
        written = Written(file.tally.cleaned + own.cleaned, file.tally.shortened + own.shortened, count)
        file.add(laid_out.about(written))
        file.save(path, title(laid_out.results), report.evaluated_at or plan.planned_at)
    return written


def discard(draft: Draft) -> None:
    """Remove what a draft has written."""
    draft.file.discard()


async def _write_evidence(file: File, table: DataTable, rows: AsyncIterable[FrozenRow], most: int) -> Draft:
    """Stream the rows, with a new sheet where one has `most` rows, its header included."""
    source = aiter(rows)
    sample = await _take(source, SAMPLE_ROWS)
    widths = table.widths(sample)
    evidence = _Evidence(file, table, Frame(widths, 2, 1), table.row_points(sample, widths), most)
    for row in sample:
        evidence.add(row)
    async for row in source:
        evidence.add(row)
    return evidence.close()


async def _take(source: AsyncIterator[FrozenRow], most: int) -> list[FrozenRow]:
    """The first rows; the source goes on after them."""
    taken: list[FrozenRow] = []
    async for row in source:
        taken.append(row)
        if len(taken) == most:
            break
    return taken


class _Evidence:
    """The sheets of the evidence, one open at a time."""

    def __init__(self, file: File, table: DataTable, frame: Frame, points: float, most: int) -> None:
        self._file, self._table, self._most = file, table, most
        self._frame, self._points = frame, points
        self._looks = [Look(column.format) for column in table.columns]
        self._values = [column.value for column in table.columns]
        self._sheets = self._count = 0
        self._next_sheet()

    def add(self, row: FrozenRow) -> None:
        """Write a row."""
        pen = self._sheet.pen
        if pen.rows == self._most or pen.characters > MAX_SHEET_CHARACTERS:
            self._sheet.close()
            self._next_sheet()
        self._write([value(row) for value in self._values])
        self._count += 1

    def close(self) -> Draft:
        """Finish the last sheet."""
        self._sheet.close()
        return Draft(self._file, self._count, self._sheets)

    def _next_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._file.open(self._table.sheet(self._sheets), self._frame)
        self._sheet.pen.row(tuple(column.head for column in self._table.columns), max(self._points, HEADER_POINTS))
        self._write = self._sheet.pen.stream(self._looks, self._points)
