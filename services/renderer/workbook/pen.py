"""Writes cells on a sheet: every cell of the workbook goes through one function here."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from services.renderer.cells import CellValue, Safe, is_plain, opens_like_code, safe
from services.renderer.layout.prose import runs_right_to_left
from services.renderer.layout.values import Look, Row
from services.renderer.workbook.styles import QUOTED, RIGHT_TO_LEFT, Styles, Xlsx

MAX_LINKS = 65_000  # of a sheet: beyond 65,530 Excel drops them all
_NEW = 4  # flags run from 0 to 3
_KINDS = {type(None): "n", int: "n", float: "n", bool: "b", datetime: "d"}  # openpyxl's letters for types


class Tally:
    """Counts the cells that took a change."""

    def __init__(self) -> None:
        self.cleaned = 0
        self.shortened = 0

    def add(self, cell: Safe) -> Safe:
        """Count a cell."""
        self.cleaned += cell.cleaned
        self.shortened += cell.shortened
        return cell

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Count rows that are still to be written."""
        for row in rows:
            for cell in row:
                self.add(safe(cell.value))


class EqualHeights(dict[int, Mapping[str, str]]):
    """The same height for every row, however many there are: what openpyxl asks its row dimensions for."""

    def __init__(self, points: float) -> None:
        super().__init__()
        self._height = {"ht": f"{points:g}", "customHeight": "1"}

    def get(self, _: int, __: object = None) -> Mapping[str, str]:
        """The height."""
        return self._height


class Pen:
    """Puts rows on one sheet. Cells are reused: openpyxl writes each before it asks for the next."""

    def __init__(self, sheet: Xlsx, styles: Styles, tally: Tally, columns: int) -> None:
        self.sheet = sheet
        self._styles, self._tally, self._columns = styles, tally, columns
        self._cells: dict[Look, list[Xlsx]] = {}
        self._rows = self._links = self._header_row = 0
        # openpyxl would copy each cell into a new one, and for one with a style first raise and catch an error.
        sheet._values_to_row = _as_they_are  # noqa: SLF001

    def start_table(self, header_row: int, frozen_columns: int) -> None:
        """Before its first row: freeze the header and repeat it on every page."""
        self._header_row = header_row
        self.sheet.freeze_panes = f"{get_column_letter(frozen_columns + 1)}{header_row + 1}"
        self.sheet.print_title_rows = f"{header_row}:{header_row}"

    def close(self, last_row: int | None = None) -> None:
        """After the last row: the filter over the table, if there is one."""
        if self._header_row:
            corner = f"{get_column_letter(self._columns)}{last_row or self._rows}"
            self.sheet.auto_filter.ref = f"A{self._header_row}:{corner}"
        self.sheet.close()

    def row(self, cells: Row) -> None:
        """Write a row."""
        self._rows += 1
        self.sheet.append(self._drawn(cells))

    def stream(self, looks: Sequence[Look]) -> Callable[[Iterable[CellValue]], None]:
        """What writes rows whose columns have one look each: as `row` does, without looking each look up."""
        columns = [(number, look, self._reused(look)) for number, look in enumerate(looks, 1)]

        def write(values: Iterable[CellValue]) -> None:
            self._rows += 1
            self.sheet.append(
                self._cell(value, look, cells, number)
                for value, (number, look, cells) in zip(values, columns, strict=True)
            )

        return write

    def _drawn(self, cells: Row) -> Iterator[Xlsx]:
        for column, cell in enumerate(cells, 1):
            if cell.value is None and not cell.look.in_table:
                continue
            if cell.link is None or self._links == MAX_LINKS:
                yield self._cell(cell.value, cell.look, self._reused(cell.look), column)
            else:
                self._links += 1
                linked = self._cell(cell.value, cell.look, [None] * _NEW, column)
                linked.hyperlink = Hyperlink(ref=linked.coordinate, location=cell.link)
                yield linked

    def _reused(self, look: Look) -> list[Xlsx]:
        """The cells of a look by the flags of the text, as far as there are any yet."""
        return self._cells.setdefault(look, [None] * _NEW)

    def _cell(self, value: CellValue, look: Look, cells: list[Xlsx], column: int) -> Xlsx:
        """The one way into a sheet: the value made safe and its type forced, so that text stays text."""
        if type(value) is not str or not is_plain(value):
            value = self._tally.add(safe(value)).value
        flags, kind = 0, "s"
        if type(value) is str:
            flags = QUOTED if opens_like_code(value) else 0
            if not value.isascii() and runs_right_to_left(value):
                flags |= RIGHT_TO_LEFT
        else:
            kind = _KINDS[type(value)]
            if type(value) is float:
                value = repr(value)  # openpyxl's own 16 digits make 9.199999999999999 of 9.2
        cell = cells[flags]
        if cell is None:
            cell = cells[flags] = self._styles.cell(self.sheet, look, flags)
        # The public setter would guess the type from the text: a formula, an error.
        cell._value, cell.data_type = value, kind  # noqa: SLF001
        cell.row, cell.column = self._rows, column
        return cell


def _as_they_are(cells: Iterable[Xlsx], _: int) -> Iterable[Xlsx]:
    return cells
