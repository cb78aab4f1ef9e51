"""How a task becomes one outcome: attempts, repair and money."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.answers import AgentAnswer
from services.evaluator.calls import Failure, Reply
from shared.evaluations import AgentEvaluation, Judge, OverviewEvaluation, Parameters
from shared.messages import PROMPT_VERSION, SCHEMA_VERSION, JudgeOptions, PartDelayed
from shared.vocabulary import Reason, Role
from tests.builders import a_task, at
from tests.unit.evaluator.replies import (
    CRITERIA,
    MODEL,
    a_criterion,
    a_failure,
    a_language_answer,
    a_reply,
    a_team_answer,
    an_agent_answer,
    limited,
    usage,
)
from tests.unit.evaluator.rooms import AnEvaluator, Answer

BROKEN = a_reply('{"score": "ten"}')


# --- one answer


async def test_an_answer_becomes_an_outcome_with_score_verdict_and_who_judged() -> None:
    room = AnEvaluator(a_reply(an_agent_answer(*map(a_criterion, CRITERIA, (8, 7, 5))).model_dump_json()))
    task = a_task(generation=3)
    done = await room.evaluated(task)
    assert (done.part_id, done.generation, done.attempts) == (task.part_id, 3, 1)
    assert (done.score, done.passed) == (6.8, False)
    assert isinstance(done.evaluation, AgentEvaluation)
    assert done.judge == Judge(model=MODEL, prompt_version=PROMPT_VERSION, schema_version=SCHEMA_VERSION)
    assert (done.seconds, done.finished_at, done.usage) == (10, at(10), usage())
    assert room.announce.events == [done]


async def test_the_judge_is_asked_for_the_models_name_by_the_tasks_form_within_one_attempts_time() -> None:
    room = AnEvaluator(a_reply(), attempt_timeout_seconds=120)
    await room.evaluated(a_task())
    (call,) = room.judge.asked
    assert (call.model, call.form.name, call.timeout_seconds) == ("gpt-4o-mini", AgentAnswer.__name__, 120)
    assert [turn.role for turn in call.turns] == ["system", "user"]


async def test_the_parameters_of_the_task_are_sent_and_recorded() -> None:
    room, exact = AnEvaluator(a_reply()), Parameters(temperature=0, seed=7, max_output_tokens=2_000)
    done = await room.evaluated(a_task(judge=JudgeOptions(model="gpt-4o-mini", parameters=exact)))
    assert room.judge.asked[0].form.parameters == exact
    assert done.judge.parameters == exact


async def test_a_language_has_no_score_and_a_team_has_its_own() -> None:
    language = await AnEvaluator(a_reply(a_language_answer().model_dump_json())).evaluated(a_task("en", Role.LANGUAGE))
    team = await AnEvaluator(a_reply(a_team_answer().model_dump_json())).evaluated(a_task("overview", Role.OVERVIEW))
    assert (language.score, language.passed) == (None, None)
    assert isinstance(team.evaluation, OverviewEvaluation)
    assert (team.score, team.passed) == (8, True)


# --- attempts


async def test_what_may_succeed_later_is_tried_again_until_it_does() -> None:
    room = AnEvaluator(a_failure(), a_failure(Reason.TIMED_OUT), limited(), a_reply())
    assert (await room.evaluated(a_task())).attempts == 4
    assert len(room.judge.asked) == 4


@pytest.mark.parametrize(
    "reason", [Reason.REFUSED, Reason.AUTH_FAILED, Reason.QUOTA_EXHAUSTED, Reason.TRUNCATED, Reason.CONTEXT_TOO_LONG]
)
async def test_what_cannot_succeed_later_is_not_tried_again(reason: Reason) -> None:
    room = AnEvaluator(a_failure(reason, again=False))
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts, failed.detail) == (reason, 1, f"it was {reason}")
    assert (failed.retryable, failed.first_failed_at, failed.finished_at) == (reason.is_retryable, at(10), at(10))
    assert room.slept == []


async def test_attempts_are_bounded_and_the_last_failure_is_the_reason() -> None:
    room = AnEvaluator(a_failure(Reason.TIMED_OUT), a_failure(Reason.TIMED_OUT), a_failure(), max_attempts=3)
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts, failed.retryable) == (Reason.PROVIDER_ERROR, 3, True)
    assert failed.first_failed_at == at(10)
    assert failed.finished_at == at(room.seconds)


async def test_a_call_that_was_refused_is_no_attempt_to_be_counted_against_the_most() -> None:
    room = AnEvaluator(*[limited(1) for _ in range(9)], a_failure(), a_reply(), max_attempts=2)
    assert (await room.evaluated(a_task())).attempts == 11


async def test_a_judge_that_refuses_without_end_ends_with_the_parts_time() -> None:
    room = AnEvaluator(*[Answer(limited(0.1), 0.1) for _ in range(2_000)])
    failed = await room.failed(a_task())
    assert (failed.reason, failed.finished_at <= at(300)) == (Reason.RATE_LIMITED, True)
    assert failed.attempts > 1_024  # doublings without a bound would be no number any more


async def test_the_backoff_doubles_under_full_jitter_up_to_a_minute() -> None:
    patient = JudgeOptions(model="gpt-4o-mini", timeout_seconds=10_000)
    room = AnEvaluator(*[a_failure() for _ in range(9)], dice=1.0, max_attempts=9, backoff_seconds=1)
    await room.failed(a_task(judge=patient, deadline_at=at(10_000)))
    assert room.slept == [1, 2, 4, 8, 16, 32, 60, 60]
    lucky = AnEvaluator(a_failure(), a_reply(), dice=0.0)
    await lucky.evaluated(a_task())
    assert lucky.slept == [0]


# --- repair


async def test_an_answer_that_breaks_the_form_is_told_so_and_asked_once_more_at_once() -> None:
    room = AnEvaluator(BROKEN, a_reply())
    assert (await room.evaluated(a_task())).attempts == 2
    first, second = room.judge.asked
    assert second.turns[:2] == first.turns
    assert [turn.role for turn in second.turns[2:]] == ["assistant", "user"]
    assert second.turns[2].content == BROKEN.text
    assert second.turns[3].content.startswith("That answer cannot be used: reasoning: Field required; ")
    assert room.slept == [0]
    assert room.delays == []


async def test_an_answer_that_breaks_a_rule_of_the_task_is_repaired_in_the_same_way() -> None:
    cited = an_agent_answer(*(a_criterion(name, evidence=[9]) for name in CRITERIA))
    room = AnEvaluator(a_reply(cited.model_dump_json()), a_reply())
    await room.evaluated(a_task())
    assert "there is no row 9; rows are numbered from 1 to 2" in room.judge.asked[1].turns[3].content


async def test_after_one_repair_the_answer_is_invalid_output_with_its_raw_text() -> None:
    room = AnEvaluator(BROKEN, a_reply('{"still": "wrong"}' + " " * 5_000), a_reply())
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts) == (Reason.INVALID_OUTPUT, 2)
    assert '; the answer was: {"still": "wrong"}' in failed.detail
    assert len(failed.detail) < 3_000


async def test_a_repair_is_asked_for_once_also_where_other_failures_come_between() -> None:
    room = AnEvaluator(BROKEN, limited(0.5), BROKEN, a_reply())
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts) == (Reason.INVALID_OUTPUT, 3)


@pytest.mark.parametrize("score", ["10.1", "-0.1", "1e999", "NaN", '"8"x'])
async def test_a_score_out_of_range_is_an_invalid_answer(score: str) -> None:
    text = an_agent_answer().model_dump_json().replace('"score":8.0', f'"score":{score}', 1)
    room = AnEvaluator(a_reply(text), a_reply())
    assert (await room.evaluated(a_task())).attempts == 2


# --- money


async def test_the_usage_of_failed_calls_is_part_of_the_bill() -> None:
    room = AnEvaluator(BROKEN, a_failure(usage=usage(500, 50, 0.5)), limited(), a_reply())
    done = await room.evaluated(a_task())
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.cost_usd) == (2_500, 250, 1.0)


async def test_a_part_that_fails_says_what_it_cost() -> None:
    failed = await AnEvaluator(a_failure(Reason.REFUSED, again=False, usage=usage(7, 1, 0.5))).failed(a_task())
    assert (failed.usage.input_tokens, failed.usage.cost_usd) == (7, 0.5)


async def test_one_call_without_a_price_makes_the_parts_cost_unknown() -> None:
    room = AnEvaluator(a_failure(usage=usage(cost_usd=None)), a_reply())
    assert (await room.evaluated(a_task())).usage.cost_usd is None


async def test_what_happens_is_counted_by_closed_labels() -> None:
    room = AnEvaluator(limited(2), a_reply())
    await room.evaluated(a_task())
    attempts = {
        result: room.counted("llm_attempts_total", model="gpt-4o-mini", result=result)
        for result in ("answered", "rate_limited")
    }
    assert attempts == {"answered": 1, "rate_limited": 1}
    assert room.counted("llm_retries_total", reason="rate_limited") == 1
    assert room.counted("llm_cost_usd_total", model="gpt-4o-mini") == 0.25
    assert room.counted("llm_calls_in_flight") == 0


# --- whatever the judge does

SAYINGS = st.lists(
    st.builds(
        Answer,
        st.sampled_from([BROKEN, a_reply(), limited(), limited(7), limited(250), a_failure(again=False), a_failure()]),
        st.sampled_from([0.0, 1.0, 100.0, 500.0]),
    ),
    min_size=5,
    max_size=5,
)


@given(SAYINGS, st.sampled_from([-1, 50, 900]), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_whatever_the_judge_does_there_is_one_outcome_in_time_and_every_call_is_in_it(
    script: list[Answer], deadline: float, most: int
) -> None:
    script += [Answer(a_reply(), 1.0)] * 2
    room = AnEvaluator(*script, max_attempts=most)
    asyncio.run(room.handlers.on_task(a_task(deadline_at=at(deadline))))
    *before, outcome = room.announce.events
    assert all(isinstance(event, PartDelayed) for event in before)
    assert not isinstance(outcome, PartDelayed)
    calls = len(room.judge.asked)
    refused = [
        answer for answer in script if isinstance(answer.says, Failure) and answer.says.reason is Reason.RATE_LIMITED
    ]
    assert outcome.attempts == calls <= most + len(refused)
    assert outcome.finished_at <= max(at(0), min(at(deadline), at(300)))
    counted = sum(1_000 for answer in script[:calls] if isinstance(answer.says, Reply))
    assert outcome.usage.input_tokens == counted
    assert room.gates.in_flight == 0
