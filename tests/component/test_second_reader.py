"""A second program must open the workbook as it is: LibreOffice, where it is installed."""

from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from services.renderer.cells import safe
from services.renderer.workbook import write
from tests.builders import a_failed_part, a_judged_part, a_plan, a_report, a_row, an_overview, streamed
from tests.office import OFFICE, converted

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
VALUE_TYPE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"
LINK = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}a"
HREF = "{http://www.w3.org/1999/xlink}href"
PLANES = ((0x20, 0xD7FF), (0xD800, 0xDFFF), (0xE000, 0xFFFF), (0x1_0000, 0x1_FFFF), (0x2_0000, 0x10_FFFF), (0, 0x1F))
CODE = ("=1+1", '=HYPERLINK("http://evil.example")', "#REF! \x0b \ufffe _x0041_", "@SUM(A1)", "http://evil.example")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: no second reader for the workbook"),
]


async def test_another_spreadsheet_program_finds_every_sheet_and_text_and_nothing_else(tmp_path: Path) -> None:
    chance = Random(6)
    texts = [*CODE, *(hostile(chance) for _ in range(300)), "😀" * 20_000]
    parts = [a_judged_part(key="1", name=texts[9]), a_failed_part(key="2", index=1), an_overview(index=2)]
    rows = [a_row("1", f"run-{number}", input=text) for number, text in enumerate(texts)]
    book = tmp_path / "book.xlsx"
    await write(book, a_plan(pieces=2, rows=len(rows)), a_report(parts), parts, streamed(rows))

    with ZipFile(converted(book, "ods")) as archive:
        content = ET.fromstring(archive.read("content.xml"))

    tables = {table.get(f"{TABLE}name"): table for table in content.iter(f"{TABLE}table")}
    assert list(tables) == load_workbook(book).sheetnames
    cells = [cell for table in tables.values() for cell in table.iter(f"{TABLE}table-cell")]
    assert not [cell for cell in cells if cell.get(f"{TABLE}formula")]
    assert not [link for link in content.iter(LINK) if not str(link.get(HREF)).startswith("#")]
    evidence = list(tables["Runs"].iter(f"{TABLE}table-row"))[1 : len(texts) + 1]  # after them it fills the sheet
    found = [[*row.iter(f"{TABLE}table-cell")][3] for row in evidence]
    assert {cell.get(VALUE_TYPE) for cell in found} == {"string"}
    for cell, text in zip(found, texts, strict=True):
        assert letters("".join(cell.itertext())) == letters(str(safe(text).value).replace("_x005F_", "_"))


def hostile(chance: Random) -> str:
    """Forty characters of one plane, or of what no text should hold."""
    low, high = chance.choice(PLANES)
    return chance.choice("=+-@#'x") + "".join(chr(chance.randint(low, high)) for _ in range(40))


def letters(text: str) -> str:
    """The text without its white space, which OpenDocument writes as elements."""
    return "".join(text.split())
