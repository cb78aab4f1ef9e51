"""Evaluators come and go; every part is paid for once."""

import os
import signal
from pathlib import Path

import pytest

from tests.requests import agents_request
from tests.single_programs import opened
from tests.stacks import Json, Stack, start, until

pytestmark = pytest.mark.anyio

PARTS = 60
CALLS_AT_ONCE = 5


async def begun(stack: Stack, report_id: str) -> None:
    async def some_are_done() -> bool | None:
        return 5 < (await stack.status(report_id))["counts"]["completed"] < PARTS or None

    await until(some_are_done, "the middle of the report", 30)


async def asked_beyond_one(stack: Stack) -> Json:
    """The parts that the judge was asked about more than once, and how often."""
    by_key = (await stack.calls())["by_key"]
    assert set(by_key) == {*map(str, range(PARTS)), "overview"}
    return {key: count for key, count in by_key.items() if count > 1}


async def test_an_evaluator_that_is_killed_costs_no_more_calls_than_it_had_in_flight(tmp_path: Path) -> None:
    stack = await start(tmp_path, "--evaluators", "2", "--latency", "1", LLM_MAX_CONCURRENCY=str(CALLS_AT_ONCE))
    try:
        report_id = await stack.post(agents_request(PARTS))
        await begun(stack, report_id)
        os.kill(stack.pids("evaluator")[0], signal.SIGKILL)
        status = await stack.final(report_id, 90)

        assert status["counts"]["completed"] == PARTS
        assert sum((await asked_beyond_one(stack)).values()) <= 2 * CALLS_AT_ONCE  # each of them asked twice
    finally:
        assert await stack.stop() == 0


async def test_a_rolling_restart_under_load_pays_for_nothing_twice(tmp_path: Path) -> None:
    stack = await start(tmp_path, "--evaluators", "2", "--latency", "1", LLM_MAX_CONCURRENCY=str(CALLS_AT_ONCE))
    try:
        report_id = await stack.post(agents_request(PARTS))
        await begun(stack, report_id)
        for pid in stack.pids("evaluator"):
            os.kill(pid, signal.SIGTERM)

            async def replaced(pid: int = pid) -> bool | None:
                pids = stack.pids("evaluator")
                return (pid not in pids and len(pids) == 2) or None

            await until(replaced, "a new evaluator in its place", 60)
        status = await stack.final(report_id, 90)

        assert status["counts"]["completed"] == PARTS
        assert await asked_beyond_one(stack) == {}
    finally:
        assert await stack.stop() == 0


async def test_a_second_sigterm_ends_an_evaluator_at_once_and_loses_nothing(tmp_path: Path) -> None:
    stack = await start(tmp_path, "--latency", "600", LLM_MAX_CONCURRENCY=str(CALLS_AT_ONCE), LLM_LEASE_SECONDS="4")
    try:
        report_id = await stack.post(agents_request(PARTS))

        async def calling() -> bool | None:
            return (await stack.calls())["in_flight"] == CALLS_AT_ONCE or None

        async def ended() -> bool | None:
            return pid not in stack.pids("evaluator") or None

        await until(calling, "calls that would take ten minutes", 30)
        await stack.behave(latency_seconds=0)  # for the calls to come
        (pid,) = stack.pids("evaluator")
        os.kill(pid, signal.SIGTERM)
        await until(lambda: has_left(stack, report_id), "the evaluator to leave its groups", 30)
        assert pid in stack.pids("evaluator")  # its calls still run
        os.kill(pid, signal.SIGTERM)
        await until(ended, "the evaluator to end", 5)
        status = await stack.final(report_id, 90)

        assert status["counts"]["completed"] == PARTS
        assert sum((await asked_beyond_one(stack)).values()) <= 2 * CALLS_AT_ONCE
    finally:
        assert await stack.stop() == 0


async def has_left(stack: Stack, report_id: str) -> bool | None:
    """What the evaluator had claimed and not begun was given back: only the running calls are claimed."""
    async with opened(stack.mongo, stack.database) as store:
        claims = await store.ledger.claims([f"{report_id}/agent/{number}#1" for number in range(PARTS)])
    return len(claims) == CALLS_AT_ONCE or None


async def test_a_cancellation_stops_the_paying_within_a_second(tmp_path: Path) -> None:
    stack = await start(tmp_path, "--latency", "0.5", LLM_MAX_CONCURRENCY=str(CALLS_AT_ONCE))
    try:
        report_id = await stack.post(agents_request(200))
        await begun(stack, report_id)
        await stack.http.post(f"/reports/{report_id}/cancel")
        await stack.final(report_id)
        at_the_end = (await stack.calls())["total"]
        later = await stack.final(await stack.post(agents_request(2)))  # behind the cancelled tasks

        assert later["status"] == "completed"
        paid_afterwards = (await stack.calls())["total"] - at_the_end - 3
        assert paid_afterwards <= 3 * CALLS_AT_ONCE  # what a second holds, and what was in flight
    finally:
        assert await stack.stop() == 0
