"""A judge that misbehaves, on real parts: what is lost, what is asked again, and what is not asked at all."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.requests import agents_request
from tests.stacks import start, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]

PARTS = 200
AT_ONCE = 10


async def test_two_hundred_parts_survive_a_judge_that_refuses_breaks_and_hangs(tmp_path: Path) -> None:
    stack = await start(tmp_path, LLM_ATTEMPT_TIMEOUT_SECONDS="5", LLM_MAX_CONCURRENCY=str(AT_ONCE))
    try:
        await stack.behave(rate_429=0.2, rate_500=0.1, rate_invalid=0.05, rate_timeout=0.01, seed=1)
        report_id = await stack.post(agents_request(PARTS, 1, options={"overview": "concurrent"}))
        status = await stack.final(report_id, 180)
        calls = await stack.calls()
        parts = (await stack.http.get(f"/reports/{report_id}")).json()["parts"]
        book = load_workbook(await stack.workbook(report_id, tmp_path), read_only=True)
        rows = len(list(book["Agents"].iter_rows(min_row=2, values_only=True)))
    finally:
        assert await stack.stop() == 0
    counts = status["counts"]
    assert counts["completed"] + counts["errored"] == PARTS
    assert counts["errored"] <= 0.02 * PARTS
    assert {part["reason"] for part in parts if part["status"] == "errored"} <= {"invalid_output"}
    assert sum(part["attempts"] for part in parts) == calls["total"]
    assert rows >= PARTS


@pytest.mark.parametrize(("fault", "reason"), [("auth", "auth_failed"), ("quota", "quota_exhausted")])
async def test_a_judge_that_is_of_no_use_is_asked_by_those_in_flight_alone_and_again_when_it_is(
    fault: str, reason: str, tmp_path: Path
) -> None:
    stack = await start(tmp_path, LLM_MAX_CONCURRENCY=str(AT_ONCE))
    try:
        await stack.behave(always=fault)
        report_id = await stack.post(agents_request(100, 1))

        async def says_so() -> bool | None:
            ready = await stack.http.get(stack.page("evaluator", "readyz"))
            return (ready.status_code == 503 and reason in str(ready.json()["checks"]["judge"])) or None

        await until(says_so, "the evaluator to say that nobody asks", 30)
        status = await stack.final(report_id)
        calls = await stack.calls()
        parts = (await stack.http.get(f"/reports/{report_id}")).json()["parts"]
        metrics = (await stack.http.get(stack.page("evaluator", "metrics"))).text

        assert status["status"] == "failed"
        assert {part["reason"] for part in parts if part["role"] == "agent"} == {reason}
        assert calls["total"] <= 2 * AT_ONCE
        assert f'assay_llm_breaker_open{{model="gpt-4o-mini",reason="{reason}"}} 1.0' in metrics

        await stack.behave()

        async def is_ready() -> bool | None:
            return (await stack.http.get(stack.page("evaluator", "readyz"))).is_success or None

        await until(is_ready, "the evaluator to be ready again", 60)
        assert (await stack.final(await stack.post(agents_request(3, 1))))["status"] == "completed"
    finally:
        assert await stack.stop() == 0
