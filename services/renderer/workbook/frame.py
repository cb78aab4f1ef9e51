"""The XML of a sheet around its rows, in the order that the format prescribes (ECMA-376, 18.3.1.99)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from openpyxl.utils import get_column_letter

from services.renderer.layout.theme import DEEPEST, PALEST
from services.renderer.layout.values import Shade, pages_across

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
)
_PRINTED = (
    '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.7" header="0.3" footer="0.3"/>'
    '<pageSetup orientation="landscape" paperSize="9" fitToWidth="{across}" fitToHeight="{down}"/>'  # 9 is A4
    "<headerFooter><oddFooter>&amp;L&amp;A&amp;RPage &amp;P of &amp;N</oddFooter></headerFooter>"
)
DRAWING = "rId1"  # the only relation a sheet has


@dataclass(frozen=True, slots=True)
class Frame:
    """What a sheet is, apart from its rows. `frozen_rows` 0: nothing is frozen; `tab` is a colour as RRGGBB."""

    widths: Sequence[float]
    frozen_columns: int = 0
    frozen_rows: int = 0
    gridlines: bool = True
    right_to_left: bool = False
    one_page: bool = False
    selected: bool = False
    tab: str | None = None


class Link(NamedTuple):
    """A cell that leads to another place of the workbook."""

    cell: str
    location: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What is laid over the rows once they are written: the filter, cells merged over the width, shades, links."""

    filtered: str | None = None
    merged: Sequence[str] = ()
    shades: Sequence[Shade] = ()
    links: Sequence[Link] = ()
    drawing: bool = False


def head(frame: Frame) -> str:
    """All that stands before the first row."""
    tab = f'<tabColor rgb="FF{frame.tab}"/>' if frame.tab else ""
    columns = "".join(
        f'<col min="{number}" max="{number}" width="{width:g}" customWidth="1"/>'
        for number, width in enumerate(frame.widths, 1)
    )
    return (
        f'{_OPEN}<sheetPr>{tab}<pageSetUpPr fitToPage="1"/></sheetPr>{_view(frame)}'
        f'<sheetFormatPr baseColWidth="8" defaultRowHeight="15"/><cols>{columns}</cols><sheetData>'
    )


def tail(frame: Frame, marks: Marks) -> str:
    """All that stands after the last row."""
    return "".join(
        (
            "</sheetData>",
            f'<autoFilter ref="{marks.filtered}"/>' if marks.filtered else "",
            _all("mergeCells", (f'<mergeCell ref="{cells}"/>' for cells in marks.merged)),
            *(_shade(shade, priority) for priority, shade in enumerate(marks.shades, 1)),
            _all("hyperlinks", map(_link, marks.links)),
            _PRINTED.format(across=pages_across(frame.widths), down=int(frame.one_page)),
            f'<drawing r:id="{DRAWING}"/>' if marks.drawing else "",
            "</worksheet>",
        )
    )


def _view(frame: Frame) -> str:
    flags = (
        ("showGridLines", "0", not frame.gridlines),
        ("rightToLeft", "1", frame.right_to_left),
        ("tabSelected", "1", frame.selected),
    )
    said = "".join(f' {name}="{value}"' for name, value, holds in flags if holds)
    return f'<sheetViews><sheetView{said} workbookViewId="0">{_pane(frame)}</sheetView></sheetViews>'


def _pane(frame: Frame) -> str:
    if not frame.frozen_rows:
        return ""
    columns, rows = frame.frozen_columns, frame.frozen_rows
    corner = f"{get_column_letter(columns + 1)}{rows + 1}"
    active = "bottomRight" if columns else "bottomLeft"
    across = f' xSplit="{columns}"' if columns else ""
    return (
        f'<pane{across} ySplit="{rows}" topLeftCell="{corner}" activePane="{active}" state="frozen"/>'
        f'<selection pane="{active}" activeCell="{corner}" sqref="{corner}"/>'
    )


def _shade(shade: Shade, priority: int) -> str:
    letter = get_column_letter(shade.column)
    return (
        f'<conditionalFormatting sqref="{letter}{shade.first_row}:{letter}{shade.last_row}">'
        f'<cfRule type="colorScale" priority="{priority}"><colorScale><cfvo type="num" val="0"/>'
        f'<cfvo type="num" val="{shade.deepest:g}"/><color rgb="FF{PALEST}"/><color rgb="FF{DEEPEST}"/>'
        "</colorScale></cfRule></conditionalFormatting>"
    )


def _link(link: Link) -> str:
    return f'<hyperlink ref="{link.cell}" location={quoteattr(link.location)}/>'


def _all(name: str, children: Iterable[str]) -> str:
    """An element around its children; without any it must not be there."""
    inside = "".join(children)
    return f"<{name}>{inside}</{name}>" if inside else ""
