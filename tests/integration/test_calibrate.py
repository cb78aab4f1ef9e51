"""`assay calibrate`: a finished report of the running service beside labels whose agreement with it is known."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requests import Json, reviews_request
from tests.stacks import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]


async def calibrated(stack: Stack, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.console", "calibrate", *words),
        env={"ASSAY_URL": str(stack.http.base_url), "PATH": ""},
        stdout=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


def labelled(review: Json) -> Json:
    """As the stand-in reads its rating; the first of each language is said to be the opposite."""
    words = ("negative", "positive")
    is_good = (review["rating"] >= 4) ^ review["review_id"].endswith("-0")
    return {key: review[key] for key in ("review_id", "language")} | {"label_sentiment": words[is_good]}


async def test_a_finished_report_is_measured_by_its_id_and_by_its_workbook(stack: Stack, tmp_path: Path) -> None:
    request = reviews_request(["de", "en"], each=10)
    clear = [review for review in request["data"]["reviews"] if review["rating"] != 3]
    labels = tmp_path / "labels.jsonl"
    labels.write_text("".join(json.dumps(labelled(review)) + "\n" for review in clear))
    report_id = await stack.post(request)
    assert (await stack.final(report_id))["status"] == "completed"

    by_id = await calibrated(stack, str(labels), report_id)

    assert "16 of 16 labelled reviews compared" in by_id
    assert "accuracy 0.875 (14 of 16)" in by_id
    workbook = tmp_path / "report.xlsx"
    workbook.write_bytes((await stack.http.get(f"/reports/{report_id}/workbook")).content)
    assert await calibrated(stack, str(labels), str(workbook)) == by_id
