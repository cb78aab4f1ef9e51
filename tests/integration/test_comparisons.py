"""A report beside the one before it, on real parts."""

import json
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.requests import agents_request
from tests.stacks import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]


async def comparison(stack: Stack, report_id: str) -> list[list[Any]]:
    answer = await stack.http.get(f"/reports/{report_id}/workbook")
    assert answer.status_code == 200, answer.text
    sheet = load_workbook(BytesIO(answer.content))["Comparison"]
    return [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]


def asked(count: int, environment_id: str, baseline: str | None) -> dict[str, Any]:
    return {**agents_request(count, options={"baseline": baseline}), "environment_id": environment_id}


async def test_a_series_compares_each_report_with_the_one_before(calm: Stack) -> None:
    first = await calm.post(asked(3, "series", "previous"))
    assert (await calm.final(first))["status"] == "completed"
    assert "this is the first" in str(await comparison(calm, first))

    await calm.behave(refuse=["1"])
    second = await calm.post(asked(2, "series", "previous"))
    assert (await calm.final(second))["status"] == "completed_with_errors"
    rows = await comparison(calm, second)
    assert first in str(rows[1])
    found = {row[0]: row for row in rows if row}
    assert found["Agent 0"][2] == "unchanged"
    assert found["Agent 1"][2] == "failed now"
    assert "errored: refused" in found["Agent 1"]
    assert found["Agent 2"][2] == "only then"

    named = await calm.post(asked(2, "elsewhere", first))
    await calm.final(named)
    rows = await comparison(calm, named)
    assert "Subject differs" in str(rows)
    document = json.loads((await calm.http.get(f"/reports/{named}/results.json")).content)
    assert document["baseline"]["report_id"] == first


async def test_a_baseline_that_is_not_there_or_of_another_kind_is_refused_in_words(calm: Stack) -> None:
    absent = await calm.final(await calm.post(asked(1, "42", "nobody")))
    assert (absent["status"], absent["workbook"]) == ("rejected", None)
    assert "there is no report 'nobody'" in absent["reason"]

    agents = await calm.post(asked(1, "42", None))
    await calm.final(agents)
    data = {"reviews": [{"review_id": "1", "language": "en", "text": "Good."}]}
    reviews = {"kind": "reviews", "options": {"baseline": agents}, "data": data}
    refused = await calm.final(await calm.post(reviews))
    assert refused["status"] == "rejected"
    assert "is about agents, not reviews" in refused["reason"]
