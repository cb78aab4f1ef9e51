"""A part that failed is never blank and never 0: in no sheet, no chart and no average of the saved file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from shared.evaluations import Part
from shared.state import Plan
from shared.vocabulary import Kind, PartStatus, Reason, Role
from tests.builders import (
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_part,
    a_plan,
    an_overview,
)
from tests.saved import Saved, save

CANCELLED: dict[str, Any] = {"status": PartStatus.CANCELLED, "reason": Reason.CANCELLED, "attempts": 1, "seconds": 1.5}
AGENTS = (
    a_judged_part("1", 9.0),
    a_judged_part("2", 6.0),
    a_failed_part("3", name="Failed"),
    a_part("4", name="Stopped", **CANCELLED),
    an_overview(),
)
LANGUAGES = (
    a_judged_language("en"),
    a_failed_part("de", role=Role.LANGUAGE, name="de"),
    a_part("fr", Role.LANGUAGE, **CANCELLED),
    an_overview(),
)
BOOKS = {
    "agents": (AGENTS, a_plan(pieces=4), ("Failed", "Stopped")),
    "languages": (LANGUAGES, a_plan(kind=Kind.REVIEWS, pieces=3), ("German (de)", "French (fr)")),
}

Book = tuple[tuple[Part, ...], Plan, tuple[str, ...]]


@pytest.mark.parametrize("kind", BOOKS)
@pytest.mark.parametrize("sheet", ["Agents", "Languages", "Failures", "Distribution"])
def test_a_failed_part_has_a_word_in_every_column_of_every_table_that_lists_it(
    tmp_path: Path, kind: str, sheet: str
) -> None:
    parts, plan, failed = BOOKS[kind]
    saved = save(tmp_path, parts, plan=plan)
    if sheet not in saved.names:
        assert sheet == ("Languages" if kind == "agents" else "Agents")
        return
    rows = [row for row in saved.values(sheet) if row[0] in failed]
    assert len(rows) == (0 if (kind, sheet) == ("agents", "Distribution") else len(failed))
    for row in rows:
        assert None not in row
        assert 0 not in row


@pytest.mark.parametrize("kind", BOOKS)
def test_a_failed_part_has_a_detail_that_says_so(tmp_path: Path, kind: str) -> None:
    parts, plan, failed = BOOKS[kind]
    saved = save(tmp_path, parts, plan=plan)
    for name in failed:
        ((section, outcome, *_),) = [row for row in saved.values(name) if row[0] == "Failure"]
        assert section == "Failure"
        assert re.match("errored: timed out|cancelled", outcome)
        assert "What to do" in str(saved.values(name))


@pytest.mark.parametrize("kind", BOOKS)
def test_no_chart_covers_a_failed_part(tmp_path: Path, kind: str) -> None:
    parts, plan, failed = BOOKS[kind]
    saved = save(tmp_path, parts, plan=plan)
    charted = list(charted_cells(saved))
    assert len(charted) >= 2
    assert not set(charted) & set(failed)
    assert None not in charted


def test_no_average_counts_a_failed_part(tmp_path: Path) -> None:
    summary = {row[0]: row[1:3] for row in save(tmp_path, AGENTS, plan=a_plan(pieces=4)).values("Summary")}
    assert summary["Overall score"] == (7.5, "mean of 2 of 4, 0 to 10")
    assert summary["  Errored"] == (1, "see Failures")


def charted_cells(saved: Saved) -> Iterator[Any]:
    """Every cell that a chart of the workbook takes a name or a number from."""
    book = load_workbook(saved.path)
    for name, xml in saved.xml.items():
        if name.startswith("xl/charts/chart"):
            for reference in xml.iter("{http://schemas.openxmlformats.org/drawingml/2006/chart}f"):
                sheet, cells = reference.text.replace("$", "").rsplit("!", 1)
                found = book[sheet.strip("'")][cells]
                rows = found if isinstance(found, tuple) else ((found,),)
                yield from (cell.value for row in rows for cell in row)
