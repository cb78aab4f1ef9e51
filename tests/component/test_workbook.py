"""The saved file: what Excel would find in it, whatever text came in."""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from services.renderer.workbook import Written, write
from shared.evaluations import FrozenRow
from shared.vocabulary import Kind, Reason, Role
from tests.builders import (
    AGENT_CRITERIA,
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_language_evaluation,
    a_plan,
    a_report,
    a_row,
    an_agent_evaluation,
    an_overview,
)
from tests.saved import MAIN, PARTS, RELATION, save, save_text, shown


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://evil.example","click")',
        "+1",
        "-2+3",
        "@SUM(A1)",
        "#N/A",
        "#REF!",
        "#DIV/0!",
        "=",
        "'=1",
        "\t=1",
    ],
)
def test_text_that_looks_like_code_is_text_and_stays_so_when_edited(tmp_path: Path, text: str) -> None:
    saved, cell = save_text(tmp_path, text)
    assert cell.get("t") == "inlineStr"
    assert saved.style(cell).get("quotePrefix") == "1"
    assert shown(cell) == text
    assert not any(list(sheet.iter(f"{MAIN}f")) for sheet in saved.sheets())


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x1f", "\ufffe", "\uffff", "\udbff"])
def test_a_character_that_cannot_be_written_is_replaced_and_counted(tmp_path: Path, character: str) -> None:
    parts = (a_judged_part("1", evaluation=an_agent_evaluation(reasoning=f"a{character}b")),)
    saved = save(tmp_path, parts)
    assert "a\ufffdb" in str(saved.values("Agent 1"))
    assert saved.written.cleaned == 1


def test_a_text_that_is_too_long_is_cut_with_a_mark_and_counted(tmp_path: Path) -> None:
    saved, cell = save_text(tmp_path, "x" + "😀" * 20_000)
    assert shown(cell).endswith("😀 … [shortened]")
    assert len(shown(cell).encode("utf-16-le")) // 2 <= 32_767
    assert saved.written == Written(cleaned=0, shortened=1, rows=1)


def test_an_escape_of_excel_is_shown_as_it_was_written(tmp_path: Path) -> None:
    _, cell = save_text(tmp_path, "_x0041_ and _x000D_")
    assert "".join(cell.itertext()) == "_x005F_x0041_ and _x005F_x000D_"
    assert shown(cell) == "_x0041_ and _x000D_"


def test_about_counts_what_was_changed_its_own_cells_included(tmp_path: Path) -> None:
    rows = [a_row("1", "run-1", output="a\x00b"), a_row("1", "run-2", output="x" * 40_000)]
    plan = a_plan(rows=2, notes=("bell\x07", "y" * 40_000))
    saved = save(tmp_path, rows=rows, plan=plan)
    assert saved.written == Written(cleaned=2, shortened=2, rows=2)
    about = {row[1]: row[2] for row in saved.values("About")}
    assert (about["Cleaned cells"], about["Shortened cells"], about["Rows of evidence"]) == (2, 2, 2)


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    plan = a_plan(rows=1, columns=("a", "b", "c", "d", "e", "f"))
    row = a_row("1", "run-1", a=9.2, b=123456789012345, c=1234567890123456, d=True, e="00123", f=0.1 + 0.2)
    cells = save(tmp_path, rows=[row], plan=plan).cells("Runs")
    assert [cells[f"{column}2"].get("t", "n") for column in "DEFGHI"] == ["n", "n", "inlineStr", "b", "inlineStr", "n"]
    assert [shown(cells[f"{column}2"]) for column in "DEFGHI"] == [
        "9.2",
        "123456789012345",
        "1234567890123456",
        "1",
        "00123",
        "0.30000000000000004",
    ]


def test_a_number_that_is_none_says_so(tmp_path: Path) -> None:
    row = a_row("1", "run-1", output="?").model_copy(
        update={"row": a_row().row.model_copy(update={"values": {"output": float("nan"), "input": float("-inf")}})}
    )
    assert save(tmp_path, rows=[row]).values("Runs")[1][3:] == ("n/a", "n/a")


def test_times_are_utc_and_their_headers_say_so(tmp_path: Path) -> None:
    plan = a_plan(rows=1, columns=("started_at",))
    saved = save(tmp_path, rows=[a_row("1", "run-1", started_at="2026-11-24T13:30:00+01:00")], plan=plan)
    header, row = saved.values("Runs")
    assert header[3] == "Started (UTC)"
    assert row[3] == datetime(2026, 11, 24, 12, 30)  # noqa: DTZ001  # Excel knows no zones
    assert load_workbook(saved.path)["Runs"]["D2"].number_format == "yyyy-mm-dd hh:mm:ss"


def test_an_address_in_a_text_never_becomes_a_link(tmp_path: Path) -> None:
    saved = save(
        tmp_path,
        (a_judged_part("1", evaluation=an_agent_evaluation(reasoning="see [this](https://evil.example)")),),
        [a_row("1", "run-1", output="https://evil.example")],
    )
    for sheet in saved.sheets():
        assert all(link.get(RELATION) is None for link in sheet.iter(f"{MAIN}hyperlink"))
    assert not any(
        found.get("TargetMode") == "External"
        for name, xml in saved.xml.items()
        if name.endswith(".rels")
        for found in xml
    )


def test_every_link_leads_to_a_sheet_of_the_workbook(tmp_path: Path) -> None:
    saved = save(tmp_path, [a_judged_part("1", name="it's [1]"), a_judged_part("2", name="Résumé"), an_overview()])
    found = [link.get("location") for sheet in saved.sheets() for link in sheet.iter(f"{MAIN}hyperlink")]
    targets = [re.fullmatch(r"'(.+)'!A\d+", location) for location in found]
    assert len(found) > 8
    assert {target.group(1).replace("''", "'") for target in targets if target} <= set(saved.names)
    assert all(targets)


def test_a_name_is_linked_to_its_detail_and_back(tmp_path: Path) -> None:
    saved = save(tmp_path)
    book = load_workbook(saved.path)
    assert book["Agents"]["A2"].hyperlink.location == "'Agent 1'!A1"
    assert book["Agent 1"]["A2"].hyperlink.location == "'Agents'!A2"


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [a_row("1", f"run-{number}", output=f"answer {number}") for number in range(50)]
    digests = set()
    for name, parts in (("a", PARTS), ("b", PARTS), ("c", PARTS[::-1])):
        (tmp_path / name).mkdir()
        digests.add(hashlib.sha256(save(tmp_path / name, parts, rows).path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_files_times_are_the_reports(tmp_path: Path) -> None:
    saved = save(tmp_path)
    properties = load_workbook(saved.path).properties
    assert properties.created.replace(tzinfo=UTC) == a_report().evaluated_at
    assert properties.modified == properties.created
    assert {entry.date_time for entry in saved.entries} == {(1980, 1, 1, 0, 0, 0)}


def test_a_failed_part_is_never_blank_and_its_score_never_a_number(tmp_path: Path) -> None:
    saved = save(tmp_path)
    header, *rows = saved.values("Agents")
    (failed,) = (dict(zip(header, row, strict=True)) for row in rows if row[0] == "Agent 3")
    assert None not in failed.values()
    assert failed["Score"] == "not scored"
    assert failed["Status"] == "errored"
    assert failed["Reason"] == "timed out"
    assert all(isinstance(failed[criterion.name], str) for criterion in AGENT_CRITERIA)
    summary = dict(row[:2] for row in saved.values("Summary"))
    assert summary["Overall score"] == 7.5
    assert summary["Support agents, November"] is None
    assert "PARTIAL: 1 of 3 parts failed" in summary


def test_a_report_without_a_judged_part_is_written_too(tmp_path: Path) -> None:
    parts = [a_failed_part("1"), a_failed_part("2"), a_failed_part("overview", Reason.NO_DATA, Role.OVERVIEW)]
    saved = save(tmp_path, parts)
    assert "FAILED: no part could be judged" in str(saved.values("Summary"))
    assert len(saved.values("Failures")) == 4


def test_the_charts_cover_the_scored_agents(tmp_path: Path) -> None:
    saved = save(tmp_path)
    charts = [xml for name, xml in saved.xml.items() if name.startswith("xl/charts/chart")]
    assert len(charts) == 2
    texts = ["".join(xml.itertext()) for xml in charts]
    assert "Scores (2 of 3 scored)" in texts[0]
    covered = re.search(r"'Summary'!\$B\$(\d+):\$B\$(\d+)", texts[0])
    assert covered
    first, last = map(int, covered.groups())
    assert [row[1] for row in saved.values("Summary")[first - 1 : last]] == [9, 6]


def test_the_evidence_is_complete_and_in_its_order(tmp_path: Path) -> None:
    rows = [a_row(str(number % 3 + 1), f"run-{number}", output=str(number)) for number in range(450)]
    saved = save(tmp_path, rows=rows)
    assert saved.written.rows == 450
    assert [row[1] for row in saved.values("Runs")[1:]] == [row.row.id for row in rows]


@pytest.mark.parametrize("count", [9, 10, 18, 19])
def test_evidence_beyond_a_sheets_rows_continues_on_the_next(tmp_path: Path, count: int) -> None:
    saved = save(tmp_path, rows=[a_row("1", f"run-{number}") for number in range(count)], rows_per_sheet=10)
    sheets = [name for name in saved.names if name.startswith("Runs")]
    assert sheets == ["Runs", "Runs (2)", "Runs (3)"][: -(-count // 9)]
    found = [row[1] for name in sheets for row in saved.values(name)[1:]]
    assert found == [f"run-{number}" for number in range(count)]
    assert all(saved.values(name)[0][1] == "Run ID" for name in sheets)


def test_evidence_beyond_what_a_zip_entry_holds_continues_on_the_next_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.renderer.workbook.MAX_SHEET_CHARACTERS", 1)  # in buffers of a quarter of a million
    rows = [a_row("1", f"run-{number}", output="x" * 30_000) for number in range(20)]
    saved = save(tmp_path, rows=rows)
    sheets = [name for name in saved.names if name.startswith("Runs")]
    assert sheets == ["Runs", "Runs (2)", "Runs (3)"]
    assert [row[1] for name in sheets for row in saved.values(name)[1:]] == [row.row.id for row in rows]


def test_scores_have_a_shade_from_0_to_10_behind_them(tmp_path: Path) -> None:
    sheet = save(tmp_path).sheet("Agents")
    shaded = {found.get("sqref"): found for found in sheet.iter(f"{MAIN}conditionalFormatting")}
    assert "E2:E4" in shaded
    assert [found.get("val") for found in shaded["E2:E4"].iter(f"{MAIN}cfvo")] == ["0", "10"]


def test_a_table_too_wide_for_a_page_goes_on_beside_it_and_repeats_its_names(tmp_path: Path) -> None:
    saved = save(tmp_path)
    titles = {
        found.text
        for found in saved.xml["xl/workbook.xml"].iter(f"{MAIN}definedName")
        if found.get("name") == "_xlnm.Print_Titles"
    }
    assert any("'Agents'!$A:$A" in str(found) for found in titles)


def test_more_rows_than_planned_lose_nothing(tmp_path: Path) -> None:
    rows = [a_row("1", f"run-{number}") for number in range(19)]
    saved = save(tmp_path, rows=rows, plan=a_plan(rows=3), rows_per_sheet=10)
    assert saved.written.rows == 19
    assert saved.names[-5:] == ["Runs", "Runs (2)", "Runs (3)", "Distribution", "About"]


def test_without_evidence_there_is_a_header(tmp_path: Path) -> None:
    assert len(save(tmp_path).values("Runs")) == 1


def test_196_agents_share_one_sheet_of_details(tmp_path: Path) -> None:
    parts = [*(a_judged_part(str(number), number % 11) for number in range(196)), an_overview()]
    saved = save(tmp_path, parts)
    assert saved.names == ["Summary", "Agents", "Details", "Failures", "Runs", "Distribution", "About"]
    assert len(saved.values("Agents")) == 197


def test_arabic_text_runs_from_right_to_left(tmp_path: Path) -> None:
    arabic = "يحب المستخدمون سرعة البحث ويطلبون وضعاً داكناً ويشتكون من فشل تسجيل الدخول"
    parts = [
        a_judged_language("ar", evaluation=a_language_evaluation(summary=arabic * 5)),
        a_judged_language("en"),
    ]
    plan = a_plan(kind=Kind.REVIEWS, pieces=2, rows=2, columns=("text",))
    saved = save(tmp_path, parts, [a_row("ar", "1", text=arabic), a_row("en", "2", text="good")], plan)
    views = {name: saved.sheet(name).find(f".//{MAIN}sheetView").get("rightToLeft") for name in saved.names}
    assert [name for name, value in views.items() if value == "1"] == ["Arabic (ar)"]
    cells = saved.cells("Reviews")
    back = saved.style(saved.cells("Arabic (ar)")["A2"]).find(f"{MAIN}alignment")
    assert back.get("horizontal") == "right"  # where the sheet starts
    orders = [saved.style(cells[place]).find(f"{MAIN}alignment").get("readingOrder") for place in ("D2", "D3")]
    assert orders == ["2", None]


def test_every_table_is_frozen_filtered_and_set_up_for_print(tmp_path: Path) -> None:
    saved = save(tmp_path, rows=[a_row("1")])
    titled = {
        name.get("localSheetId")
        for name in saved.xml["xl/workbook.xml"].iter(f"{MAIN}definedName")
        if name.get("name") == "_xlnm.Print_Titles"
    }
    for index, name in enumerate(saved.names):
        sheet = saved.sheet(name)
        assert sheet.find(f"{MAIN}pageSetup").get("orientation") == "landscape"
        assert sheet.find(f"{MAIN}pageSetup").get("fitToWidth") == ("2" if name == "Agents" else "1")
        assert "Page &P of &N" in sheet.findtext(f"{MAIN}headerFooter/{MAIN}oddFooter")
        if name != "Summary":
            assert sheet.find(f".//{MAIN}pane").get("state") == "frozen"
            assert sheet.find(f"{MAIN}autoFilter") is not None
            assert sheet.find(f"{MAIN}mergeCells") is None
            assert str(index) in titled


def test_a_failure_on_the_way_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted() -> AsyncIterator[FrozenRow]:
        for number in range(300):
            yield a_row("1", f"run-{number}")
        raise ConnectionError

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ConnectionError):
        asyncio.run(write(tmp_path / "report.xlsx", a_plan(), a_report(PARTS), PARTS, interrupted()))
    assert list(tmp_path.iterdir()) == []


def test_the_summary_is_the_first_and_active_sheet(tmp_path: Path) -> None:
    saved = save(tmp_path)
    assert saved.names[0] == "Summary"
    assert load_workbook(saved.path).active.title == "Summary"
