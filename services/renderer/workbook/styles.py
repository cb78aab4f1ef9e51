"""Looks as openpyxl styles, each registered once in its workbook."""

from typing import Any, NamedTuple

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from services.renderer.layout.theme import FONT, PAINTS, RULE
from services.renderer.layout.values import Look, Tone

Xlsx = Any  # openpyxl ships no types

QUOTED, RIGHT_TO_LEFT = 1, 2  # flags that a text adds to its look
MIRRORED = 4  # and one that its sheet adds: it starts on the right
_READING_ORDER = 2  # Excel's number for right to left; 0 lets it look at the first letter

_IN_THE_MIDDLE = {Tone.TITLE, Tone.HEADER}


class Styles:
    """The styles of one workbook, by their numbers in it; each is registered once."""

    def __init__(self, workbook: Xlsx) -> None:
        self._sheet = _Sheet(workbook)
        self._known: dict[tuple[Look, int], int] = {}

    def number(self, look: Look, flags: int) -> int:
        """The style of a look with what the text adds to it."""
        if (look, flags) not in self._known:
            self._known[look, flags] = int(_styled(self._sheet, look, flags).style_id)
        return self._known[look, flags]


class _Sheet(NamedTuple):
    """As much of a sheet as a cell needs to find the styles of its workbook."""

    parent: Xlsx


def _styled(sheet: _Sheet, look: Look, flags: int) -> Xlsx:
    cell, paint = Cell(sheet), PAINTS[look.tone]
    underline = "single" if paint.underlined else None
    cell.font = Font(name=FONT, size=paint.size, bold=paint.bold, color=paint.colour, underline=underline)
    if paint.fill:
        cell.fill = PatternFill("solid", fgColor=paint.fill)
    right_to_left = bool(flags & RIGHT_TO_LEFT)
    if look.in_table:
        cell.border = Border(bottom=Side("thin", color=RULE))
    cell.alignment = Alignment(
        horizontal=_side(look, right_to_left=right_to_left, mirrored=bool(flags & MIRRORED)),
        vertical="center" if look.tone in _IN_THE_MIDDLE else "top",
        wrap_text=look.in_table and (look.tone is Tone.HEADER or not look.format.is_number),
        indent=int(look.in_table),
        readingOrder=_READING_ORDER if right_to_left else 0,
    )
    cell.number_format = str(look.format)
    cell.quotePrefix = bool(flags & QUOTED)
    return cell


def _side(look: Look, *, right_to_left: bool, mirrored: bool) -> str:
    """What is in no table starts where the sheet starts, so that it does not run out of it."""
    if not look.in_table:
        return "right" if mirrored else "left"
    return "right" if look.to_the_right or right_to_left else "left"
