"""Writes rows of cells as XML: every cell of the workbook goes through one function here."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import IO

from openpyxl.utils import get_column_letter

from services.renderer.cells import CellValue, Safe, is_plain, opens_like_code, safe
from services.renderer.layout.prose import runs_right_to_left
from services.renderer.layout.values import Cell, Look, Row
from services.renderer.workbook.frame import Link
from services.renderer.workbook.styles import MIRRORED, QUOTED, RIGHT_TO_LEFT, Styles

MAX_LINKS = 65_000  # of a sheet: beyond 65,530 Excel drops them all
_BUFFER = 1 << 18  # characters
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  # day 0 of Excel, which knows no zones
_DAY = timedelta(days=1)


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


class _Styled(dict[int, str]):
    """What follows the address of a cell of one look, by the flags of its text; a style is registered when needed."""

    def __init__(self, look: Look, always: int, styles: Styles) -> None:
        super().__init__()
        self._look, self._always, self._styles = look, always, styles

    def __missing__(self, flags: int) -> str:
        """The style's number, as an attribute."""
        self[flags] = said = f'" s="{self._styles.number(self._look, flags | self._always)}"'
        return said


class Pen:
    """Puts rows into the open entry of a sheet, a buffer at a time."""

    def __init__(self, entry: IO[bytes], styles: Styles, tally: Tally, *, mirrored: bool) -> None:
        self.rows = self.characters = 0
        self.links: list[Link] = []
        self._entry, self._styles, self._tally = entry, styles, tally
        self._mirrored = MIRRORED if mirrored else 0
        self._looks: dict[Look, _Styled] = {}
        self._letters: list[str] = []
        self._buffer: list[str] = []
        self._buffered = 0

    def write(self, xml: str) -> None:
        """Write what is XML already."""
        self._buffer.append(xml)
        self._buffered += len(xml)
        if self._buffered > _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Hand on what is in the buffer."""
        self._entry.write("".join(self._buffer).encode())
        self.characters += self._buffered
        self._buffer.clear()
        self._buffered = 0

    def row(self, cells: Row, points: float | None = None) -> None:
        """Write a row, so many points high if that is said."""
        self.rows += 1
        drawn = [
            self._cell(cell.value, f'<c r="{letter}{self.rows}', self._styled(cell.look))
            for letter, cell in zip(self._columns(len(cells)), cells, strict=True)
            if cell.value is not None or cell.look.in_table
        ]
        for letter, cell in zip(self._letters, cells, strict=False):
            self._link(f"{letter}{self.rows}", cell)
        self.write(f'<row r="{self.rows}"{_height(points)}>{"".join(drawn)}</row>')

    def stream(self, looks: Sequence[Look], points: float) -> Callable[[Iterable[CellValue]], None]:
        """What writes rows whose columns have one look each: as `row` does, without looking each look up."""
        looked = [self._styled(look) for look in looks]
        openings = [f'<c r="{letter}' for letter in self._columns(len(looks))]
        height, draw = _height(points), self._cell

        def write(values: Iterable[CellValue]) -> None:
            self.rows = row = self.rows + 1
            drawn = "".join(
                [
                    draw(value, f"{opening}{row}", styled)
                    for value, opening, styled in zip(values, openings, looked, strict=True)
                ]
            )
            self.write(f'<row r="{row}"{height}>{drawn}</row>')

        return write

    def _cell(self, value: CellValue, opening: str, styled: _Styled) -> str:
        """The one way into a sheet: the value made safe and its type said, so that text stays text."""
        if type(value) is str and is_plain(value):
            return _text(value, opening, styled)
        if value is None:
            return f"{opening}{styled[0]}/>"
        if type(value) is bool:
            return f'{opening}{styled[0]} t="b"><v>{value:d}</v></c>'
        held = self._tally.add(safe(value)).value
        if isinstance(held, str):
            return _text(held, opening, styled)
        shown = (held - _EPOCH) / _DAY if isinstance(held, datetime) else held
        return f"{opening}{styled[0]}><v>{shown!r}</v></c>"

    def _link(self, address: str, cell: Cell) -> None:
        if cell.link is not None and len(self.links) < MAX_LINKS:
            self.links.append(Link(address, cell.link))

    def _styled(self, look: Look) -> _Styled:
        if look not in self._looks:
            self._looks[look] = _Styled(look, self._mirrored, self._styles)
        return self._looks[look]

    def _columns(self, count: int) -> Sequence[str]:
        """The letters of the first columns."""
        while len(self._letters) < count:
            self._letters.append(get_column_letter(len(self._letters) + 1))
        return self._letters[:count]


def _text(safe_one: str, opening: str, styled: _Styled) -> str:
    flags = QUOTED if opens_like_code(safe_one) else 0
    if not safe_one.isascii() and runs_right_to_left(safe_one):
        flags |= RIGHT_TO_LEFT
    kept = "" if safe_one.strip() == safe_one else ' xml:space="preserve"'
    if "&" in safe_one or "<" in safe_one or ">" in safe_one:
        safe_one = safe_one.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'{opening}{styled[flags]} t="inlineStr"><is><t{kept}>{safe_one}</t></is></c>'


def _height(points: float | None) -> str:
    return "" if points is None else f' ht="{points:g}" customHeight="1"'
