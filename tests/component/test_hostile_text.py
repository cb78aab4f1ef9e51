"""Whatever text comes in, the saved file is well-formed, opens, and holds nothing that was not put there."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl.xml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.renderer.workbook import Written
from shared.evaluations import EvidenceRow, FrozenRow, Scalar
from tests.builders import a_failed_part, a_judged_part, a_plan, a_row, an_agent_evaluation
from tests.saved import MAIN, RELATION, Saved, save, shown

WITHOUT_LXML = "OPENPYXL_LXML"
EVIL = '=HYPERLINK("http://evil.example","click")'


class Hostile(NamedTuple):
    """A value, how it stands in the XML, with which type and quotePrefix, and what About counts of it."""

    value: Any
    raw: str
    kind: str = "inlineStr"
    quoted: bool = False
    cleaned: int = 0
    shortened: int = 0


TABLE = {
    "a formula": Hostile(EVIL, EVIL, quoted=True),
    "an error": Hostile("#N/A", "#N/A", quoted=True),
    "another error": Hostile("#REF!", "#REF!", quoted=True),
    "a control character": Hostile("a\x07b", "a\ufffdb", cleaned=1),
    "no character": Hostile("a\uffffb\ufffe", "a\ufffdb\ufffd", cleaned=1),
    "a lone surrogate": Hostile("a\ud83d", "a\ufffd", cleaned=1),
    "too long a text": Hostile("😀" * 20_000, "😀" * 16_376 + " … [shortened]", shortened=1),
    "an escape": Hostile("_x0041_", "_x005F_x0041_"),
    "a long integer": Hostile(1234567890123456, "1234567890123456"),
    "markup": Hostile("</t></is></c><f>1</f>]]>&#0;", "</t></is></c><f>1</f>]]>&#0;"),
    "white space": Hostile("  a\t\n", "  a\t\n"),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_hostile_value_stands_in_the_saved_xml_as_it_should(tmp_path: Path, name: str) -> None:
    value, raw, kind, quoted, cleaned, shortened = TABLE[name]
    saved = save(tmp_path, rows=[a_row("1", "run-1", input="?", output=value)])
    cell = saved.cells("Runs")["E2"]
    assert "".join(cell.itertext()) == raw
    assert cell.get("t") == kind
    assert saved.style(cell).get("quotePrefix") == ("1" if quoted else "0")
    assert saved.written == Written(cleaned, shortened, 1)
    assert_harmless(saved)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_words_in_the_xml(tmp_path: Path, number: float) -> None:
    row = FrozenRow(key="1", row=EvidenceRow.model_construct(id="run-1", values={"input": "?", "output": number}))
    cell = save(tmp_path, rows=[row]).cells("Runs")["E2"]
    assert ("".join(cell.itertext()), cell.get("t")) == ("n/a", "inlineStr")


def test_a_time_with_a_zone_is_a_number_of_days_in_utc_in_the_xml(tmp_path: Path) -> None:
    plan = a_plan(rows=1, columns=("started_at",))
    saved = save(tmp_path, rows=[a_row("1", "run-1", started_at="2026-11-24T13:30:00+01:00")], plan=plan)
    days = datetime(2026, 11, 24, 12, 30, tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)
    cell = saved.cells("Runs")["D2"]
    assert float(shown(cell)) == pytest.approx(days.total_seconds() / 86_400, abs=1e-9)
    assert cell.get("t") is None


@pytest.mark.parametrize(
    "name", ["a/b\\c?d*e:f[g]h", "History", "'quoted'", "x" * 40, "😀" * 20, "", "\ud800", "_x0041_"]
)
def test_a_part_of_any_name_has_a_sheet_of_a_legal_one(tmp_path: Path, name: str) -> None:
    names = save(tmp_path, [a_judged_part("1", name=name), a_judged_part("2", name=name.upper())]).names
    assert len({found.casefold() for found in names}) == len(names)
    for found in names:
        assert 0 < len(found.encode("utf-16-le")) // 2 <= 31
        assert not set(found) & set("\\/?*:[]")
        assert found.casefold() != "history"
        assert found == found.strip("'")


ANY = st.text(st.characters() | st.sampled_from("=+-@#'_x0123456789ABCDEF<>&\"\r\n\t\x00\ufffe\ud800\U0010ffff"))
HOSTILE = st.builds(lambda text, copies: text * copies, ANY, st.sampled_from([1, 1, 1, 5_000])) | st.sampled_from(
    [EVIL, "#N/A", "http://evil.example", "_x0000_", "]]>", "\ufeff", "\u202e=1"]
)
SCALARS = HOSTILE | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()


@settings(deadline=None, max_examples=30)
@given(HOSTILE, HOSTILE, HOSTILE, SCALARS)
def test_any_text_gives_a_file_that_opens_and_holds_nothing_of_its_own(
    name: str, said: str, field: str, value: Scalar
) -> None:
    parts = (
        a_judged_part("1", name=name, description=said, evaluation=an_agent_evaluation(reasoning=said)),
        a_failed_part("2", name=said, detail=name),
    )
    changes = {"title": name, "subject": said, "columns": (field or "f",), "notes": (said,)}
    plan = a_plan(pieces=2, rows=1, metadata={field: said}, **changes)
    row = FrozenRow(key="1", row=EvidenceRow(id=name or "r", values={field or "f": value}))
    with tempfile.TemporaryDirectory() as folder:
        saved = save(Path(folder), parts, [row], plan)  # reads every XML document of the file
        book = load_workbook(BytesIO(saved.path.read_bytes()))
    assert book.sheetnames == saved.names
    assert_harmless(saved)
    about = {row[1].value: row[2].value for row in book["About"].iter_rows(min_row=2)}
    assert about["Cleaned cells"] == saved.written.cleaned
    assert about["Shortened cells"] == saved.written.shortened
    assert (saved.written.cleaned > 0) is any(map(has_illegal, texts_of(name, said, field, value)))


def test_the_library_is_the_one_this_run_is_about() -> None:
    assert openpyxl.xml.LXML is (os.environ.get(WITHOUT_LXML) != "False")  # noqa: TID251  # openpyxl's own switch


@pytest.mark.skipif(not openpyxl.xml.LXML, reason="this is the run without lxml")
def test_all_of_this_holds_without_lxml(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "in"), __file__],
        env={**os.environ, WITHOUT_LXML: "False"},  # noqa: TID251  # the other settings stay as they are
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3_000:]
    assert " 1 skipped" in ran.stdout


def assert_harmless(saved: Saved) -> None:
    """No formula, no error, no way out of the file, no link that leads elsewhere than into it."""
    for sheet in saved.sheets():
        assert not list(sheet.iter(f"{MAIN}f"))
        assert not [cell for cell in sheet.iter(f"{MAIN}c") if cell.get("t") == "e"]
        assert not [link for link in sheet.iter(f"{MAIN}hyperlink") if link.get(RELATION)]
    relations = (found for name, xml in saved.xml.items() if name.endswith(".rels") for found in xml)
    assert not [found for found in relations if found.get("TargetMode") == "External"]
    assert not [entry for entry in saved.entries if "externalLink" in entry.filename or "vba" in entry.filename]


def texts_of(*values: Scalar) -> Iterable[str]:
    return (value for value in values if isinstance(value, str))


def has_illegal(text: str) -> bool:
    """XML 1.0 has no place for one of its characters (production 2), by another rule than the one under test."""
    return any(
        not (point in {0x9, 0xA, 0xD} or 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or point >= 0x10000)
        for point in map(ord, text)
    )
