"""A second program must open the workbook as it is: LibreOffice, where it is installed."""

import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from services.renderer.workbook import write
from tests.builders import a_failed_part, a_judged_part, a_plan, a_report, a_row, an_overview, streamed

OFFICE = shutil.which("soffice")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: no second reader for the workbook"),
]


async def test_another_spreadsheet_program_reads_every_sheet(tmp_path: Path) -> None:
    parts = [a_judged_part(key="1"), a_failed_part(key="2", index=1), an_overview(index=2)]
    hostile = a_row(key="1", input="=1+1", output="#REF! \x0b \ufffe _x0041_")
    book = tmp_path / "book.xlsx"
    await write(book, a_plan(pieces=2), a_report(parts), parts, streamed([hostile]))

    content = read_by_office(book)

    assert content.count("<table:table ") == len(load_workbook(book).sheetnames)
    assert "table:formula" not in content
    assert "=1+1" in content


def read_by_office(book: Path) -> str:
    """The cells as LibreOffice understands them, in its own format."""
    subprocess.run(
        [str(OFFICE), "--headless", "--convert-to", "ods", "--outdir", str(book.parent), str(book)],
        check=True,
        capture_output=True,
        timeout=120,
        env={"HOME": str(book.parent), "PATH": "/usr/bin:/bin"},
    )
    with ZipFile(book.with_suffix(".ods")) as archive:
        return archive.read("content.xml").decode()
