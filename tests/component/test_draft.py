"""Evidence written ahead, while outcomes are still to come, changes nothing in the file."""

import tempfile
from pathlib import Path

import pytest

from services.renderer.workbook import begin, discard, finish, write
from shared.vocabulary import PartStatus
from tests.builders import a_judged_part, a_part, a_plan, a_report, a_row, streamed

pytestmark = pytest.mark.anyio

ROWS = [a_row(key="1", row_id=str(number), input=f"=question {number}") for number in range(7)]


@pytest.mark.parametrize("rows_per_sheet", [100, 4])
async def test_a_draft_that_waited_for_its_outcomes_gives_the_same_bytes(tmp_path: Path, rows_per_sheet: int) -> None:
    plan = a_plan(pieces=1, rows=len(ROWS))
    pending = [a_part(key="1", status=PartStatus.PENDING)]
    judged = [a_judged_part(key="1")]
    at_once, later = tmp_path / "at_once.xlsx", tmp_path / "later.xlsx"

    whole = await write(at_once, plan, a_report(judged), judged, streamed(ROWS), rows_per_sheet=rows_per_sheet)
    draft = await begin(plan, a_report(pending), pending, streamed(ROWS), rows_per_sheet=rows_per_sheet)
    in_two = finish(draft, later, plan, a_report(judged), judged, rows_per_sheet=rows_per_sheet)

    assert in_two == whole
    assert later.read_bytes() == at_once.read_bytes()


async def test_a_discarded_draft_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    draft = await begin(a_plan(pieces=1, rows=7), a_report([]), [a_part(key="1")], streamed(ROWS))
    assert list(tmp_path.iterdir())

    discard(draft)

    assert not list(tmp_path.iterdir())
