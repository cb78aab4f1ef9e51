"""Charts as openpyxl charts."""

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.title import Title, title_maker
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, ParagraphProperties

from services.renderer.layout.theme import PAINTS, RULE, SERIES
from services.renderer.layout.values import Chart, Tone
from services.renderer.workbook.styles import Xlsx

HUNDREDTHS = 100  # of a point, the unit of a font's size


def excel_chart(sheet: Xlsx, plan: Chart) -> Xlsx:
    """The chart over its rows of the sheet."""
    chart = BarChart()
    chart.type = "col" if plan.shape == "columns" else "bar"
    chart.style, chart.gapWidth = 10, 40
    chart.title, chart.width, chart.height = _title(plan.title), plan.width_cm, plan.height_cm
    for column in plan.values:
        chart.add_data(
            Reference(sheet, min_col=column, min_row=plan.header_row, max_row=plan.last_row), titles_from_data=True
        )
    chart.set_categories(Reference(sheet, min_col=plan.names, min_row=plan.first_row, max_row=plan.last_row))
    _set_axes(chart, plan)
    _set_series(chart, plan)
    return chart


def _title(text: str) -> Title:
    """The title in the size of a heading; by itself it would be larger than the report's."""
    looks = CharacterProperties(
        sz=HUNDREDTHS * PAINTS[Tone.HEADING].size, b=True, solidFill=PAINTS[Tone.HEADING].colour
    )
    title = title_maker(text)
    for paragraph in title.tx.rich.paragraphs:
        paragraph.pPr = ParagraphProperties(defRPr=looks)
        for run in paragraph.r:
            run.rPr = looks
    title.overlay = False
    return title


def _set_axes(chart: Xlsx, plan: Chart) -> None:
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.tickLblSkip = 1  # every bar has its name
    chart.y_axis.number_format = str(plan.format)
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0, plan.maximum
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=RULE))
    if chart.type == "bar":
        chart.x_axis.scaling.orientation = "maxMin"  # the first row on top, as in the table
        chart.y_axis.crosses = "max"  # and the scale below the bars all the same
    if plan.axis:
        chart.y_axis.title = plan.axis


def _set_series(chart: Xlsx, plan: Chart) -> None:
    for series, colour in zip(chart.series, plan.colours or SERIES, strict=False):
        series.graphicalProperties.solidFill = colour
    if plan.shape == "stacked":
        chart.grouping, chart.overlap, chart.legend.position = "percentStacked", 100, "b"
        return
    chart.legend = None
    chart.dataLabels = DataLabelList()
    chart.dataLabels.showVal = True
    for other in ("showSerName", "showCatName", "showLegendKey", "showPercent"):
        setattr(chart.dataLabels, other, False)
