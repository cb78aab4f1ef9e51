"""The XML of bars inside cells: said twice, as Excel 2007 only knows bars that fade, on which no length can be read."""

from collections.abc import Sequence

from openpyxl.utils import get_column_letter

from services.renderer.layout.theme import BAR
from services.renderer.layout.values import Bar

_X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
_XM = "http://schemas.microsoft.com/office/excel/2006/main"
_RULE_HAS_MORE = "{B025F937-C7B1-47D3-B67F-A62EFF666E3E}"  # the extension of a rule, and that of a sheet's rules
_SHEET_HAS_RULES = "{78C0D931-6437-407d-A8EE-F0AAD7539E65}"


def bar_rule(bar: Bar, priority: int) -> str:
    """The bar as all programs know it, with the name of what more is said of it at the end of the sheet."""
    return (
        f'<conditionalFormatting sqref="{_cells(bar)}"><cfRule type="dataBar" priority="{priority}">'
        '<dataBar minLength="0" maxLength="100"><cfvo type="num" val="0"/>'
        f'<cfvo type="num" val="{bar.maximum:g}"/><color rgb="FF{BAR}"/></dataBar>'
        f'<extLst><ext uri="{_RULE_HAS_MORE}" xmlns:x14="{_X14}"><x14:id>{_name(bar)}</x14:id></ext></extLst>'
        "</cfRule></conditionalFormatting>"
    )


def extension(bars: Sequence[Bar]) -> str:
    """What more is said of the bars: that they do not fade."""
    if not bars:
        return ""
    return (
        f'<extLst><ext uri="{_SHEET_HAS_RULES}" xmlns:x14="{_X14}"><x14:conditionalFormattings>'
        f"{''.join(map(_solid, bars))}</x14:conditionalFormattings></ext></extLst>"
    )


def _solid(bar: Bar) -> str:
    return (
        f'<x14:conditionalFormatting xmlns:xm="{_XM}"><x14:cfRule type="dataBar" id="{_name(bar)}">'
        '<x14:dataBar minLength="0" maxLength="100" gradient="0"><x14:cfvo type="num"><xm:f>0</xm:f></x14:cfvo>'
        f'<x14:cfvo type="num"><xm:f>{bar.maximum:g}</xm:f></x14:cfvo></x14:dataBar></x14:cfRule>'
        f"<xm:sqref>{_cells(bar)}</xm:sqref></x14:conditionalFormatting>"
    )


def _cells(bar: Bar) -> str:
    letter = get_column_letter(bar.column)
    return f"{letter}{bar.first_row}:{letter}{bar.last_row}"


def _name(bar: Bar) -> str:
    """A name that no other bar of the sheet has."""
    return f"{{00000000-0000-4000-8000-{bar.column:012d}}}"
