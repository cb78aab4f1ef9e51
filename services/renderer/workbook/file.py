"""The file: sheets in the order of their tabs, and a save that leaves the clock out of it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter

from services.renderer.cells import safe
from services.renderer.layout.theme import TABS
from services.renderer.layout.values import Sheet
from services.renderer.workbook.archive import Archive
from services.renderer.workbook.charts import excel_chart
from services.renderer.workbook.pen import EqualHeights, Pen, Tally
from services.renderer.workbook.styles import Styles, Xlsx

A4 = 9


class File:
    """A workbook while it is written, sheet after sheet. Leaving it by an error removes what it had written so far."""

    def __init__(self) -> None:
        self._workbook: Xlsx = Workbook(write_only=True)
        self._styles = Styles()
        self.tally = Tally()
        self._evidence_sheets = 0

    def __enter__(self) -> Self:
        """Nothing is written yet."""
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """After an error nothing is kept."""
        if error is not None:
            self.discard()

    def discard(self) -> None:
        """Remove the temporary files, which openpyxl would keep until the process ends."""
        for sheet in self._workbook.worksheets:
            if not sheet.closed:
                sheet.close()
            Path(sheet._writer.out).unlink(missing_ok=True)  # noqa: SLF001

    def open(self, name: str, widths: Sequence[float], *, row_points: float | None = None) -> Pen:
        """A new sheet with its columns and its print set-up, and the pen to write it."""
        sheet = self._workbook.create_sheet(name)
        self._evidence_sheets += row_points is not None
        for number, width in enumerate(widths, 1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        if row_points:
            sheet.row_dimensions = EqualHeights(row_points)
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", A4
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.5, bottom=0.7, footer=0.3)
        sheet.oddFooter.left.text, sheet.oddFooter.right.text = "&A", "Page &P of &N"
        return Pen(sheet, self._styles, self.tally, len(widths))

    def first_sheets_last(self) -> None:
        """Put the sheets that were written first, the evidence, behind all others that there are by now."""
        for _ in range(self._evidence_sheets):
            self._workbook.move_sheet(self._workbook.worksheets[0].title, offset=len(self._workbook.worksheets) - 1)

    def add(self, plan: Sheet) -> None:
        """Write a whole sheet."""
        pen = self.open(plan.name, plan.widths)
        sheet = pen.sheet
        sheet.sheet_view.showGridLines = plan.header_row is not None
        sheet.page_setup.fitToHeight = int(plan.one_page)
        sheet.sheet_view.rightToLeft = plan.right_to_left
        sheet.sheet_properties.tabColor = TABS.get(plan.tone)
        for number, points in plan.heights.items():
            sheet.row_dimensions[number].height = points
        for number in plan.wide_rows:
            sheet.merged_cells.add(f"A{number}:{get_column_letter(len(plan.widths))}{number}")
        if plan.header_row:
            pen.start_table(plan.header_row, plan.frozen_columns)
        for row in plan.rows:
            pen.row(row)
        for chart in plan.charts:
            sheet.add_chart(excel_chart(sheet, chart), chart.anchor)
        pen.close(plan.last_row)

    def save(self, path: Path, title: str, moment: datetime) -> None:
        """Write the file. openpyxl's own `save` would put the time of saving into it."""
        properties = self._workbook.properties
        properties.title, properties.creator = safe(title).value, "Assay"
        properties.created = properties.modified = safe(moment).value
        archive = Archive(path)
        try:
            ExcelWriter(self._workbook, archive).write_data()
        finally:
            archive.close()
