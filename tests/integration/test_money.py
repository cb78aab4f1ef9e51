"""What a report may cost, and what it did cost, on real parts."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.requests import agents_request
from tests.stacks import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]

PARTS = 60
CALLS_AT_ONCE = 10  # as many as one evaluator makes where nothing else is said
LATENCY_SECONDS = 1.0  # above the time in which an evaluator learns of a limit


async def test_a_report_at_its_limit_begins_no_more_and_still_has_its_workbook(calm: Stack, tmp_path: Path) -> None:
    await calm.behave(latency_seconds=LATENCY_SECONDS)
    before = (await calm.calls())["total"]

    status = await calm.final(await calm.post(agents_request(PARTS, options={"token_limit": 1})))
    asked = (await calm.calls())["total"] - before
    book = load_workbook(await calm.workbook(status["report_id"], tmp_path))
    failures = [str(row[2].value) for row in book["Failures"].iter_rows(min_row=2)]

    assert status["status"] == "completed_with_errors"
    assert status["reason"] == "the token limit of 1 was reached"
    assert CALLS_AT_ONCE <= asked <= 3 * CALLS_AT_ONCE  # those in flight, and what began before the limit was known
    assert status["counts"]["completed"] == asked  # what ran was counted
    assert status["counts"]["errored"] == PARTS - asked
    assert {part["reason"] for part in status["parts"] if part["status"] == "errored"} == {"budget_exhausted"}
    assert status["overview"] == {"status": "errored", "reason": "budget_exhausted"}
    assert len(failures) == PARTS - asked + 1
    assert status["usage"]["input_tokens"] == sum(part["usage"]["input_tokens"] for part in status["parts"])


async def test_a_cost_that_is_not_known_is_not_zero_and_no_limit_is_passed_by_it(stack: Stack) -> None:
    status = await stack.final(await stack.post(agents_request(PARTS, options={"cost_limit_usd": 100})))

    assert status["usage"]["cost_usd"] is None  # the stand-in's answers have no price
    assert "without a price" in status["reason"]
    assert status["counts"]["errored"] > 0


async def test_a_cost_limit_for_a_model_without_a_price_is_refused_in_words(stack: Stack) -> None:
    options = {"cost_limit_usd": 1, "judge_model": "llama-4"}

    status = await stack.final(await stack.post(agents_request(1, options=options)))

    assert status["status"] == "rejected"
    assert "'llama-4' has no price; set token_limit instead" in status["reason"]


async def test_a_part_that_is_judged_three_times_says_so_in_status_and_workbook(calm: Stack, tmp_path: Path) -> None:
    before = (await calm.calls())["total"]

    status = await calm.final(await calm.post(agents_request(2, options={"trials": 3})))
    book = load_workbook(await calm.workbook(status["report_id"], tmp_path))
    headers, *rows = [[cell.value for cell in row] for row in book["Agents"].iter_rows()]

    assert status["status"] == "completed"
    assert (await calm.calls())["total"] - before == 3 * 3
    for part in status["parts"]:
        assert (part["trials"]["asked"], part["trials"]["judged"], part["attempts"]) == (3, 3, 3)
    assert [row[headers.index("Judgements")] for row in rows] == ["3 of 3"] * 2


async def test_the_same_content_again_is_not_paid_for_and_the_saving_is_said(calm: Stack, tmp_path: Path) -> None:
    request = agents_request(3, options={"cache": True, "trials": 2})
    first = await calm.final(await calm.post(request))
    before = (await calm.calls())["total"]

    again = await calm.final(await calm.post(request))
    book = load_workbook(await calm.workbook(again["report_id"], tmp_path))
    about = [str(row[2].value) for row in book["About"].iter_rows(min_row=2)]

    assert first["status"] == again["status"] == "completed"
    assert (await calm.calls())["total"] == before
    assert first["saved"] is None
    assert again["usage"]["input_tokens"] == 0
    assert again["saved"]["parts"] == 4  # the overview too: its results are the same
    assert again["saved"]["usage"]["input_tokens"] == first["usage"]["input_tokens"]
    assert again["score"] == first["score"]
    assert any(line.startswith("unpriced (") and line.endswith("; parts judged before: 4") for line in about)
