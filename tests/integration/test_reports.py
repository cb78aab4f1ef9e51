"""From a request to the workbook, on real parts."""

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.requests import agents_request, own_word, reviews_request
from tests.stacks import Echo, Stack, until

pytestmark = pytest.mark.anyio

LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "it", "pt")


@pytest.mark.parametrize("count", [1, 2, 50])
async def test_every_language_has_its_own_row_with_its_own_text(stack: Stack, count: int, tmp_path: Path) -> None:
    languages = [f"x{number:02d}" for number in range(count)]
    report_id = await stack.post(reviews_request(languages, each=6))

    status = await stack.final(report_id)
    book = load_workbook(await stack.workbook(report_id, tmp_path), read_only=True)
    rows = list(book["Languages"].iter_rows(min_row=2, values_only=True))

    assert status["status"] == "completed"
    assert status["counts"]["completed"] == count
    assert len(rows) == count
    for row in rows:
        text = " ".join(str(cell) for cell in row)
        mine = [language for language in languages if own_word(language) in text]
        assert len(mine) == 1, text
        assert mine[0] in str(row[0])
        assert 6 in row


@pytest.mark.parametrize("mode", ["concurrent", "synthesis", "auto"])
@pytest.mark.parametrize("kind", ["agents", "reviews"])
async def test_both_kinds_complete_in_every_overview_mode(stack: Stack, kind: str, mode: str) -> None:
    request = agents_request(3) if kind == "agents" else reviews_request(LANGUAGES[:3])

    status = await stack.final(await stack.post({**request, "options": {"overview": mode}}))

    assert status["status"] == "completed"
    assert status["overview"] == {"status": "completed", "reason": None}
    assert status["progress"] == 100


async def test_a_part_that_fails_for_good_is_named_in_status_and_workbook(calm: Stack, tmp_path: Path) -> None:
    await calm.behave(refuse=["1"])
    report_id = await calm.post(agents_request(3))

    status = await calm.final(report_id)
    book = load_workbook(await calm.workbook(report_id, tmp_path))
    failures = [[cell.value for cell in row] for row in book["Failures"].iter_rows(min_row=2)]
    summary = " ".join(str(cell.value) for row in book["Summary"].iter_rows() for cell in row if cell.value)

    assert status["status"] == "completed_with_errors"
    assert (status["counts"]["completed"], status["counts"]["errored"]) == (2, 1)
    assert "PARTIAL: 1 of 3" in summary
    assert len(failures) == 1
    assert {"Agent 1", "refused"} <= {str(value) for value in failures[0]}


async def test_a_report_without_a_single_result_has_failed_and_still_has_a_workbook(
    calm: Stack, tmp_path: Path
) -> None:
    await calm.behave(refuse=["0", "1"])
    report_id = await calm.post(agents_request(2))

    status = await calm.final(report_id)
    book = load_workbook(await calm.workbook(report_id, tmp_path))

    assert status["status"] == "failed"
    assert status["score"] is None
    assert status["overview"] == {"status": "errored", "reason": "no_data"}
    assert book["Summary"] is not None


async def test_an_agent_without_runs_is_a_failed_part_and_never_asked_about(stack: Stack) -> None:
    request = agents_request(2)
    request["data"]["agents"][1]["runs"] = []

    status = await stack.final(await stack.post(request))

    part = next(part for part in status["parts"] if part["key"] == "1")
    assert (part["status"], part["reason"], part["attempts"]) == ("errored", "no_data", 0)
    assert status["status"] == "completed_with_errors"


async def test_every_message_published_twice_gives_the_same_report(calm: Stack) -> None:
    request = agents_request(12, options={"overview": "concurrent"})
    await calm.behave(latency_seconds=0.2)
    once = await calm.final(await calm.post(request))

    topics = ("report.requests", "evaluation.tasks", "report.events")
    async with Echo(calm, topics) as echo:
        twice = await calm.final(await calm.post(request))

    assert echo.count > 12
    same = ("status", "counts", "overview", "score")
    assert {name: twice[name] for name in same} == {name: once[name] for name in same}
    scores = [{part["key"]: part["score"] for part in status["parts"]} for status in (once, twice)]
    assert scores[0] == scores[1]


async def test_the_same_outcomes_give_the_same_workbook_bytes(stack: Stack) -> None:
    report_id = await stack.post(agents_request(4))
    first = await stack.final(report_id)

    answer = await stack.http.post(f"/reports/{report_id}/render")

    async def rendered_again() -> dict[str, object] | None:
        document = await stack.status(report_id)
        return document if document["version"] >= first["version"] + 2 else None

    again = await until(rendered_again, "the second workbook", 30)
    assert answer.status_code == 202
    assert again["status"] == "completed"
    assert again["workbook"] == first["workbook"]


async def test_progress_never_falls_and_the_stream_ends_with_the_report(calm: Stack) -> None:
    await calm.behave(latency_seconds=0.1)
    report_id = await calm.post(agents_request(15))

    async with calm.http.stream("GET", f"/reports/{report_id}/events") as answer:
        lines = [line async for line in answer.aiter_lines() if line.startswith("data:")]
    seen = [json.loads(line.removeprefix("data:"))["progress"] for line in lines]

    assert seen == sorted(seen)
    assert seen[-1] == 100


async def test_a_retry_judges_only_the_failed_part_again(calm: Stack) -> None:
    await calm.behave(refuse=["1"])
    report_id = await calm.post(agents_request(3))
    first = await calm.final(report_id)
    await calm.behave(latency_seconds=0)
    before = (await calm.calls())["by_key"]

    answer = await calm.http.post(f"/reports/{report_id}/retry")

    async def second_generation() -> dict[str, object] | None:
        document = await calm.status(report_id)
        return document if document["generation"] == 2 and document["status"] == "completed" else None

    await until(second_generation, "the retry to complete", 30)
    after = (await calm.calls())["by_key"]
    assert answer.status_code == 202
    assert first["status"] == "completed_with_errors"
    asked = {key: after.get(key, 0) - before.get(key, 0) for key in ("0", "1", "2", "overview")}
    assert asked == {"0": 0, "1": 1, "2": 0, "overview": 1}


async def test_a_cancelled_report_ends_with_what_it_had(calm: Stack) -> None:
    await calm.behave(latency_seconds=1)
    report_id = await calm.post(agents_request(40))

    async def begun() -> bool | None:
        return (await calm.status(report_id))["counts"]["completed"] > 0 or None

    await until(begun, "the first outcome", 30)
    answer = await calm.http.post(f"/reports/{report_id}/cancel")
    status = await calm.final(report_id)

    assert answer.status_code == 202
    assert status["status"] == "cancelled"
    assert status["counts"]["cancelled"] > 0
    assert status["workbook"] is not None


async def test_fail_fast_ends_the_report_at_its_first_failed_part(calm: Stack) -> None:
    await calm.behave(refuse=["0"], latency_seconds=0.3)

    status = await calm.final(await calm.post(agents_request(30, options={"fail_fast": True})))

    assert status["status"] == "failed"
    assert status["counts"]["errored"] == 1
    assert status["counts"]["cancelled"] > 0


async def test_a_report_ends_at_its_deadline_with_what_it_has(calm: Stack) -> None:
    await calm.behave(latency_seconds=0.8)

    status = await calm.final(await calm.post(agents_request(40, options={"deadline_seconds": 2})))

    assert status["status"] == "completed_with_errors"
    assert status["counts"]["completed"] > 0
    late = [part for part in status["parts"] if part["status"] == "errored" and part["role"] == "agent"]
    assert late
    assert {part["reason"] for part in late} == {"deadline_passed"}
