"""What stands between a task and a judge: its gate, the pool of its limit, the rates, and a breaker."""

import asyncio
from typing import Any

import pytest

from services.evaluator.calls import Failure, Headroom
from services.evaluator.pacing import CROWDED
from shared.messages import JudgeOptions, PartFailed
from shared.vocabulary import Lane, Reason
from tests.builders import a_task
from tests.unit.evaluator.replies import a_failure, a_reply, limited, usage
from tests.unit.evaluator.rooms import AnEvaluator, Answer

SMALL, BULK = Lane.SMALL, Lane.BULK
MODEL = "gpt-4o-mini"
QUOTA = a_failure(Reason.QUOTA_EXHAUSTED, again=False)
NO_KEY = a_failure(Reason.AUTH_FAILED, again=False)
NO_MODEL = a_failure(Reason.MODEL_UNAVAILABLE, again=False)


# --- pools


async def test_a_model_with_a_limit_of_its_own_has_its_own_pool_and_the_others_share_one() -> None:
    gates = AnEvaluator(max_concurrency="2,gpt-4o=3").gates
    assert (gates.most, gates.limit, gates.in_flight) == (5, 5, 0)
    async with gates.taken("a", SMALL), gates.taken("b", BULK), gates.taken("gpt-4o", SMALL):
        third = asyncio.create_task(held_for_ever(gates, "c"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert (gates.in_flight, third.done()) == (3, False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert gates.in_flight == 1
    third.cancel()
    with pytest.raises(asyncio.CancelledError):
        await third
    assert gates.in_flight == 0


async def held_for_ever(gates: Any, model: str) -> None:
    async with gates.taken(model, SMALL):
        await asyncio.Event().wait()


async def test_made_up_models_are_forgotten() -> None:
    gates = AnEvaluator().gates
    for number in range(1_000):
        async with gates.taken(f"model-{number}", SMALL):
            pass
    assert len(gates._gates) <= 100


# --- the pace


async def test_refusals_lower_the_limit_and_every_change_is_counted_with_its_cause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    refused = int(CROWDED)
    room = AnEvaluator(*[Answer(limited(1), 0.0)] * refused, a_reply(), max_concurrency="4")
    await room.evaluated(a_task())
    assert (room.gates.limit, room.gates.of(MODEL).pace.limit.limit) == (3, 3)
    assert room.counted("llm_limit_changes_total", model=MODEL, cause="crowded") == 1
    assert "gpt-4o-mini: 3 calls at once after 4 (crowded)" in caplog.text


async def test_one_judges_refusals_do_not_slow_another_down() -> None:
    room = AnEvaluator(Answer(limited(30), 0.0), a_reply(), a_reply(), max_concurrency="1")
    room.while_asleep = lambda: None
    other = a_task("8", judge=JudgeOptions(model="another"))
    async with asyncio.TaskGroup() as group:
        group.create_task(room.handlers.on_task(a_task("7")))
        group.create_task(room.handlers.on_task(other))
    assert [call.model for call in room.judge.asked] == [MODEL, "another", MODEL]


async def test_with_nothing_left_of_its_own_limit_the_judge_is_not_asked_before_the_time_it_said() -> None:
    used_up = a_reply()._replace(headroom=Headroom(requests=0, resets_in=8.0))
    room = AnEvaluator(used_up, a_reply())
    await room.evaluated(a_task("7"))
    await room.evaluated(a_task("8"))
    assert [call.at for call in room.judge.asked] == [0, 18]


async def test_a_rate_of_requests_is_kept() -> None:
    room = AnEvaluator(*[Answer(a_reply(), 0.0)] * 4, requests_per_minute=6)
    for key in range(4):
        await room.evaluated(a_task(str(key)))
    assert [round(call.at, 6) for call in room.judge.asked] == [0, 10, 20, 30]


async def test_a_rate_of_tokens_counts_what_calls_really_used() -> None:
    replies = [Answer(a_reply(used=usage(1_800, 200)), 0.0)] * 2
    room = AnEvaluator(*replies, tokens_per_minute=6_000)
    for key in range(2):
        await room.evaluated(a_task(str(key)))
    assert [round(call.at, 6) for call in room.judge.asked] == [0, (2_000 - 600 + 1) / 100]


# --- the time that a retry would take


async def test_a_retry_that_could_not_end_in_the_parts_time_does_not_begin() -> None:
    room = AnEvaluator(Answer(a_reply(), 50.0), Answer(limited(80), 10.0), a_reply())
    await room.evaluated(a_task("7"))
    judge = JudgeOptions(model=MODEL, timeout_seconds=130)
    failed = await room.failed(a_task("8", judge=judge))
    assert (failed.reason, failed.attempts, failed.seconds) == (Reason.RATE_LIMITED, 1, 10)


async def test_a_retry_that_could_end_in_time_begins() -> None:
    room = AnEvaluator(Answer(a_reply(), 50.0), Answer(limited(70), 10.0), Answer(a_reply(), 50.0))
    await room.evaluated(a_task("7"))
    judge = JudgeOptions(model=MODEL, timeout_seconds=130)
    assert (await room.evaluated(a_task("8", judge=judge))).attempts == 2


# --- the breaker


@pytest.mark.parametrize("failure", [QUOTA, NO_KEY, NO_MODEL])
async def test_after_two_answers_that_it_is_in_vain_a_hundred_parts_fail_at_once_and_unasked(failure: Failure) -> None:
    room = AnEvaluator(*[failure] * 100)
    for key in range(100):
        await room.handlers.on_task(a_task(str(key)))
    outcomes = [event for event in room.announce.events if isinstance(event, PartFailed)]
    assert len(room.judge.asked) == 2
    assert {outcome.reason for outcome in outcomes} == {failure.reason}
    assert sum(outcome.attempts == 0 for outcome in outcomes) == 98
    assert room.counted("llm_not_asked_total", model=MODEL, reason=failure.reason) == 98
    assert room.counted("llm_breaker_open", model=MODEL, reason=failure.reason) == 1


async def test_those_that_wait_when_it_opens_fail_with_the_others() -> None:
    room = AnEvaluator(Answer(QUOTA, 0.0), Answer(QUOTA, 0.0), max_concurrency="1")
    async with asyncio.TaskGroup() as group:
        for key in range(20):
            group.create_task(room.handlers.on_task(a_task(str(key))))
    assert len(room.judge.asked) == 2
    assert len(room.announce.events) == 20


async def test_an_open_breaker_says_in_words_which_judge_is_not_asked_and_why() -> None:
    room = AnEvaluator(Answer(QUOTA, 0.0), Answer(QUOTA, 0.0))
    for key in "78":
        await room.failed(a_task(key))
    room.seconds = 5
    expected = f"{MODEL}: quota_exhausted for 5 s, asked again in 10 s: it was quota_exhausted"
    assert room.gates.troubles(frozenset({Reason.QUOTA_EXHAUSTED})) == [expected]
    assert room.gates.troubles(frozenset({Reason.MODEL_UNAVAILABLE})) == []
    room.seconds = 15
    assert room.gates.troubles(frozenset({Reason.QUOTA_EXHAUSTED})) == []


async def test_it_closes_when_the_trial_call_is_taken() -> None:
    room = AnEvaluator(Answer(QUOTA, 0.0), Answer(QUOTA, 0.0), a_reply(), a_reply())
    for key in "78":
        await room.failed(a_task(key))
    room.seconds = 20
    for key in "90":
        await room.evaluated(a_task(key))
    assert room.counted("llm_breaker_open", model=MODEL, reason="quota_exhausted") == 0


@pytest.mark.parametrize("taken", [True, False])
async def test_those_that_come_during_the_trial_wait_for_it_and_share_its_fate(*, taken: bool) -> None:
    trial = [a_reply()] * 3 if taken else [QUOTA]
    room = AnEvaluator(Answer(QUOTA, 0.0), Answer(QUOTA, 0.0), *trial, max_concurrency="3")
    for key in "78":
        await room.failed(a_task(key))
    room.seconds = 20
    async with asyncio.TaskGroup() as group:
        for key in "901":
            group.create_task(room.handlers.on_task(a_task(key)))
    assert [isinstance(event, PartFailed) for event in room.announce.events[2:]] == [not taken] * 3
    assert len(room.judge.asked) == 2 + len(trial)


@pytest.mark.parametrize(("failure", "is_asked"), [(NO_KEY, True), (NO_MODEL, True), (QUOTA, False)])
async def test_a_probe_that_costs_nothing_closes_it_where_that_can_be_seen(failure: Failure, *, is_asked: bool) -> None:
    room, probed = AnEvaluator(Answer(failure, 0.0), Answer(failure, 0.0)), []

    async def has(model: str) -> bool:
        probed.append(model)
        return len(probed) > 1

    for key in "78":
        await room.failed(a_task(key))
    await room.gates.probe(has)
    assert room.gates.of(MODEL).pace.breaker.open is not None
    await room.gates.probe(has)
    assert probed == [MODEL, MODEL] * is_asked
    assert (room.gates.of(MODEL).pace.breaker.open is None) is is_asked


async def test_another_model_is_asked_while_one_is_not_there() -> None:
    room = AnEvaluator(Answer(NO_MODEL, 0.0), Answer(NO_MODEL, 0.0), a_reply())
    for key in "78":
        await room.failed(a_task(key))
    await room.evaluated(a_task("9", judge=JudgeOptions(model="another")))
