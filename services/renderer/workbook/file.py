"""The file: sheets in the order of their tabs, and a save that leaves the clock out of it."""

from datetime import datetime
from pathlib import Path
from typing import Self

from openpyxl import Workbook
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.packaging.relationship import Relationship, RelationshipList, get_rels_path
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter
from openpyxl.xml.functions import tostring

from services.renderer.cells import safe
from services.renderer.layout.theme import TABS
from services.renderer.layout.values import Sheet, pages_across
from services.renderer.workbook.archive import Archive
from services.renderer.workbook.charts import excel_chart
from services.renderer.workbook.frame import DRAWING, Frame, Marks, head, tail
from services.renderer.workbook.pen import Pen, Tally
from services.renderer.workbook.styles import Styles, Xlsx


class File:
    """A workbook while it is written, sheet after sheet. Leaving it by an error removes what it had written so far."""

    def __init__(self) -> None:
        self._workbook: Xlsx = Workbook(write_only=True)
        self._styles = Styles(self._workbook)
        self._archive = Archive()
        self.tally = Tally()

    def __enter__(self) -> Self:
        """Nothing is written yet."""
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """After an error nothing is kept."""
        if error is not None:
            self.discard()

    def discard(self) -> None:
        """Remove what was written."""
        self._archive.discard()

    def open(self, name: str, frame: Frame) -> "OpenSheet":
        """A new sheet, the only one that is open; close it."""
        sheet = self._workbook.create_sheet(name)
        sheet._id = len(self._workbook.worksheets)  # noqa: SLF001  # it names the sheet's entry
        return OpenSheet(sheet, frame, self._archive, self._styles, self.tally)

    def first_sheets_last(self, count: int) -> None:
        """Put the tabs of the sheets that were written first behind those of all others that there are by now."""
        sheets = self._workbook._sheets  # noqa: SLF001
        sheets[:] = sheets[count:] + sheets[:count]

    def add(self, plan: Sheet, *, selected: bool = False) -> None:
        """Write a whole sheet."""
        frame = Frame(
            plan.widths,
            frozen_columns=plan.frozen_columns,
            frozen_rows=plan.header_row or 0,
            gridlines=plan.header_row is not None,
            right_to_left=plan.right_to_left,
            one_page=plan.one_page,
            selected=selected,
            tab=TABS.get(plan.tone),
        )
        sheet = self.open(plan.name, frame)
        for number, row in enumerate(plan.rows, 1):
            sheet.pen.row(row, plan.heights.get(number))
        sheet.close(plan)

    def save(self, path: Path, title: str, moment: datetime) -> None:
        """Write the file. openpyxl's own `save` would put the time of saving into it."""
        properties = self._workbook.properties
        properties.title, properties.creator = safe(title).value, "Assay"
        properties.created = properties.modified = safe(moment).value
        _Package(self._workbook, self._archive).write_data()
        self._archive.keep(path)


class OpenSheet:
    """A sheet whose rows are being written."""

    def __init__(self, sheet: Xlsx, frame: Frame, archive: Archive, styles: Styles, tally: Tally) -> None:
        self._sheet, self._frame = sheet, frame
        self._entry = archive.open(sheet.path[1:])
        self.pen = Pen(self._entry, styles, tally, mirrored=frame.right_to_left)
        self.pen.write(head(frame))

    def close(self, plan: Sheet | None = None) -> None:
        """Write what is laid over the rows; without a plan they are one table, from the first to the last."""
        frozen, last = self._frame.frozen_rows, self.pen.rows
        across = get_column_letter(len(self._frame.widths))
        if plan is not None:
            last = plan.last_row or last
            for chart in plan.charts:
                self._sheet.add_chart(excel_chart(self._sheet, chart), chart.anchor)
        if frozen:
            self._sheet.print_title_rows = f"{frozen}:{frozen}"
            if pages_across(self._frame.widths) > 1:
                self._sheet.print_title_cols = f"A:{get_column_letter(self._frame.frozen_columns or 1)}"
            self._sheet.auto_filter.ref = f"A{frozen}:{across}{last}"
        marks = Marks(
            filtered=self._sheet.auto_filter.ref,
            merged=[f"A{row}:{across}{row}" for row in plan.wide_rows] if plan else (),
            shades=plan.shades if plan else (),
            links=self.pen.links,
            drawing=bool(plan and plan.charts),
        )
        self.pen.write(tail(self._frame, marks))
        self.pen.flush()
        self._entry.close()


class _Package(ExcelWriter):  # type: ignore[misc]  # openpyxl ships no types
    """openpyxl's writer of everything but the sheets, which are in the archive already."""

    def _write_worksheets(self) -> None:
        for sheet in self.workbook.worksheets:
            self.manifest.append(sheet)
            if sheet._charts:  # noqa: SLF001
                self._write_charts_of(sheet)

    def _write_charts_of(self, sheet: Xlsx) -> None:
        drawing = SpreadsheetDrawing()
        drawing.charts = sheet._charts  # noqa: SLF001
        self._write_drawing(drawing)
        relations = RelationshipList()
        relations.append(Relationship(type="drawing", Target=drawing.path, Id=DRAWING))
        self._archive.writestr(get_rels_path(sheet.path)[1:], tostring(relations.to_tree()))
