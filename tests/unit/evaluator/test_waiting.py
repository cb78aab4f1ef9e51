"""How a task waits for its next attempt, how long its part may take, and who has its slot meanwhile."""

import asyncio
from typing import Any

import pytest

from shared.messages import JudgeOptions, PartDelayed
from shared.vocabulary import Reason
from tests.builders import a_task, at
from tests.unit.evaluator.replies import a_failure, a_reply, limited
from tests.unit.evaluator.rooms import AnEvaluator, Answer


def in_time(seconds: float) -> dict[str, Any]:
    return {"judge": JudgeOptions(model="gpt-4o-mini", timeout_seconds=seconds)}


# --- waiting


@pytest.mark.parametrize("after", [0.05, 0.25, 17.0])
async def test_when_the_judge_says_when_to_come_back_that_is_when(after: float) -> None:
    room = AnEvaluator(limited(after), a_reply())
    await room.evaluated(a_task())
    assert room.slept == [after]
    assert [call.at for call in room.judge.asked] == [0, 10 + after]


async def test_a_wait_worth_saying_is_announced_with_its_time_and_a_short_one_is_not() -> None:
    room = AnEvaluator(limited(0.9), limited(30), a_reply())
    await room.evaluated(a_task(generation=2))
    (delayed,) = room.delays
    assert delayed == PartDelayed(
        report_id=delayed.report_id,
        part_id=a_task().part_id,
        generation=2,
        reason=Reason.RATE_LIMITED,
        attempts=2,
        retry_at=at(10 + 0.9 + 10 + 30),
    )


async def test_while_a_task_waits_its_slot_is_free_for_others() -> None:
    room = AnEvaluator(limited(30), a_reply())
    await room.evaluated(a_task())
    assert room.in_flight_while_asleep == [0]


async def test_a_task_that_waits_lets_the_next_one_call_in_its_only_slot() -> None:
    room = AnEvaluator(limited(30), a_reply(), a_reply())
    async with asyncio.TaskGroup() as group:
        for key in ("7", "8"):
            group.create_task(room.handlers.on_task(a_task(key)))
    assert len(room.judge.asked) == 3
    assert [event.part_id[-1] for event in room.announce.events] == ["7", "8", "7"]


# --- time


@pytest.mark.parametrize(("after", "attempts"), [(289, 2), (290, 1), (10_000, 1)])
async def test_no_attempt_is_waited_for_that_could_not_begin_in_the_parts_time(after: float, attempts: int) -> None:
    room = AnEvaluator(limited(after), a_reply())
    outcome = await room.outcome(a_task(**in_time(300)))
    assert outcome.attempts == attempts
    assert room.slept == [289] * (attempts - 1)


async def test_an_attempt_gets_no_more_than_what_is_left_of_the_parts_time() -> None:
    room = AnEvaluator(Answer(a_failure(Reason.TIMED_OUT), 120), limited(100), a_reply(), dice=0.0)
    await room.evaluated(a_task(**in_time(300)))
    assert [call.timeout_seconds for call in room.judge.asked] == [120, 120, 70]


async def test_the_reports_deadline_cuts_the_parts_time() -> None:
    room = AnEvaluator(Answer(a_failure(Reason.TIMED_OUT), 120))
    failed = await room.failed(a_task(deadline_at=at(30)))
    assert room.judge.asked[0].timeout_seconds == 30
    assert (failed.attempts, failed.finished_at) == (1, at(30))


@pytest.mark.parametrize("deadline", [0, -1])
async def test_a_task_whose_deadline_has_passed_is_not_paid_for(deadline: float) -> None:
    room = AnEvaluator()
    failed = await room.failed(a_task(deadline_at=at(deadline)))
    assert room.judge.asked == []
    assert (failed.reason, failed.attempts, failed.retryable) == (Reason.DEADLINE_PASSED, 0, True)
    assert (failed.usage.input_tokens, failed.seconds) == (0, 0)


async def test_a_part_whose_time_runs_out_while_it_waits_for_a_slot_fails_with_what_went_wrong_before() -> None:
    room = AnEvaluator(limited(10), a_reply())

    def takes_long() -> None:
        room.seconds += 300

    room.while_asleep = takes_long
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts) == (Reason.RATE_LIMITED, 1)
    assert len(room.judge.asked) == 1


async def test_the_wait_for_the_first_slot_is_not_the_parts_time() -> None:
    room = AnEvaluator(a_reply())
    async with room.gates.taken("gpt-4o-mini", a_task().lane):
        waiting = asyncio.create_task(room.evaluated(a_task(**in_time(60))))
        await room.somebody_waits()
        room.seconds = 500
    assert (await waiting).seconds == 10
    assert room.judge.asked[0].timeout_seconds == 60
