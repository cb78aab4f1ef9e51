"""What is kept of a report that is judged again, and of one that ended badly."""

import csv
import io
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.requests import agents_request
from tests.stacks import Stack, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]


async def content(stack: Stack, report_id: str, path: str) -> bytes:
    answer = await stack.http.get(f"/reports/{report_id}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def once(stack: Stack, report_id: str, version: int, generation: int) -> Any:
    """The status document when the report has ended in this generation, above a version."""

    async def ended() -> Any:
        document = await stack.status(report_id)
        final = document["progress"] == 100 and document["generation"] == generation
        return document if final and document["version"] > version else None

    return await until(ended, f"generation {generation} to end", 30)


def about(book: bytes) -> dict[str, str]:
    rows = load_workbook(BytesIO(book))["About"].iter_rows(min_row=2, values_only=True)
    return {str(row[1]): str(row[2]) for row in rows}


def scores(table: bytes) -> dict[str, str]:
    return {row["key"]: row["part_score"] for row in csv.DictReader(io.StringIO(table.decode("utf-8-sig")))}


async def test_a_retry_keeps_what_was_before_and_says_what_it_changed(calm: Stack) -> None:
    await calm.behave(refuse=["1"])
    report_id = await calm.post(agents_request(3))
    first = await calm.final(report_id)
    book, table = await content(calm, report_id, "workbook"), await content(calm, report_id, "results.csv")
    await calm.behave(latency_seconds=0)
    await calm.http.post(f"/reports/{report_id}/retry")
    second = await once(calm, report_id, first["version"], 2)

    assert (first["status"], second["status"]) == ("completed_with_errors", "completed")
    assert [each["generation"] for each in second["generations"]] == [1, 2]
    assert await content(calm, report_id, "workbook?generation=1") == book
    assert await content(calm, report_id, "results.csv?generation=1") == table
    assert scores(table)["1"] == ""

    latest = await content(calm, report_id, "workbook")
    assert sha256(latest).hexdigest() == second["workbook"]["sha256"] != first["workbook"]["sha256"]
    assert scores(await content(calm, report_id, "results.csv"))["1"] != ""
    assert about(latest)["Judged again: Agent 1"] == "errored: refused → completed"
    assert about(latest)["Judged again: Overview"] == "completed → completed"
    assert about(latest)["Generation 1"].startswith("completed with errors; 2 of 3")

    judged = (await calm.calls())["by_key"]
    await calm.http.post(f"/reports/{report_id}/render")
    again = await once(calm, report_id, second["version"] + 1, 2)
    assert again["workbook"] == second["workbook"]
    assert await content(calm, report_id, "workbook") == latest
    assert (await calm.calls())["by_key"] == judged


async def test_a_cancelled_report_has_a_workbook_that_says_so(calm: Stack) -> None:
    await calm.behave(latency_seconds=1)
    report_id = await calm.post(agents_request(20))

    async def begun() -> bool | None:
        return (await calm.status(report_id))["counts"]["completed"] > 0 or None

    await until(begun, "the first outcome", 30)
    await calm.http.post(f"/reports/{report_id}/cancel")
    status = await calm.final(report_id)
    summary = load_workbook(BytesIO(await content(calm, report_id, "workbook")))["Summary"]
    said = " ".join(str(cell) for row in summary.iter_rows(values_only=True) for cell in row if cell)
    assert status["status"] == "cancelled"
    assert "CANCELLED" in said


async def test_a_failed_report_has_its_workbook_and_its_results(calm: Stack) -> None:
    await calm.behave(refuse=["0", "1"])
    report_id = await calm.post(agents_request(2))
    assert (await calm.final(report_id))["status"] == "failed"
    summary = load_workbook(BytesIO(await content(calm, report_id, "workbook")))["Summary"]
    said = " ".join(str(cell) for row in summary.iter_rows(values_only=True) for cell in row if cell)
    assert "FAILED" in said
    rows = list(csv.DictReader(io.StringIO((await content(calm, report_id, "results.csv")).decode("utf-8-sig"))))
    assert {row["status"] for row in rows} == {"errored"}
    assert {row["score"] for row in rows} == {""}
