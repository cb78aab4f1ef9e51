"""A workbook that was saved, read as what it is: a zip of XML documents."""

import asyncio
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lxml import etree
from openpyxl import load_workbook

from services.renderer.workbook import Written, write
from shared.evaluations import FrozenRow, Part
from shared.state import Plan
from shared.vocabulary import Role
from tests.builders import a_failed_part, a_judged_part, a_plan, a_report, a_row, an_overview, streamed

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
PARTS = (a_judged_part("1", 9.0), a_judged_part("2", 6.0), a_failed_part("3"), an_overview())


class Saved:
    """A saved workbook, read as a zip of XML documents."""

    def __init__(self, path: Path, written: Written) -> None:
        self.path, self.written = path, written
        with zipfile.ZipFile(path) as archive:
            self.entries = archive.infolist()
            self.xml = {
                entry.filename: etree.fromstring(archive.read(entry))
                for entry in self.entries
                if entry.filename.endswith((".xml", ".rels"))
            }

    @property
    def names(self) -> list[str]:
        return [found.get("name") for found in self.xml["xl/workbook.xml"].iter(f"{MAIN}sheet")]

    def sheet(self, name: str) -> Any:
        """The sheet that the workbook's entry of this name leads to."""
        entry = next(found for found in self.xml["xl/workbook.xml"].iter(f"{MAIN}sheet") if found.get("name") == name)
        relations = {found.get("Id"): found.get("Target") for found in self.xml["xl/_rels/workbook.xml.rels"]}
        return self.xml[relations[entry.get(RELATION)].lstrip("/")]

    def sheets(self) -> Iterable[Any]:
        return (self.sheet(name) for name in self.names)

    def cells(self, name: str) -> dict[str, Any]:
        return {cell.get("r"): cell for cell in self.sheet(name).iter(f"{MAIN}c")}

    def style(self, cell: Any) -> Any:
        styles = self.xml["xl/styles.xml"].find(f"{MAIN}cellXfs")
        return styles[int(cell.get("s"))]

    def values(self, name: str) -> list[tuple[Any, ...]]:
        return list(load_workbook(self.path)[name].iter_rows(values_only=True))


def save(
    path: Path, parts: Sequence[Part] = PARTS, rows: Iterable[FrozenRow] = (), plan: Plan | None = None, **options: Any
) -> Saved:
    rows = list(rows)
    pieces = sum(part.role is not Role.OVERVIEW for part in parts)
    plan = plan or a_plan(pieces=pieces, rows=len(rows))
    target = path / "report.xlsx"
    return Saved(target, asyncio.run(write(target, plan, a_report(parts), parts, streamed(rows), **options)))


def save_text(path: Path, text: str) -> tuple[Saved, Any]:
    """A workbook with this text as the output of its only run, and the cell that holds it."""
    saved = save(path, rows=[a_row("1", "run-1", input="?", output=text)])
    return saved, saved.cells("Runs")["E2"]


def shown(cell: Any) -> str:
    """The text of a cell as Excel decodes it."""
    raw = "".join(cell.itertext())
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match.group(1), 16)), raw)
