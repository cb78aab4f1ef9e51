"""Evaluators against a judge that misbehaves, minutes long: the services' own handlers, on a clock that jumps."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from services.standalone.behaviour import Behaviour
from shared.messages import EvaluationTask, Outcome, PartFailed
from shared.vocabulary import Reason
from tests.builders import a_task, at
from tests.unit.evaluator.virtual import MoodyJudge, Sample, VirtualEvaluator, now, run

AT_ONCE = 10
PARTS = 200
CALL_SECONDS = 3.0
TIME_OUT_SECONDS = 5 * CALL_SECONDS
SEEDS = range(5)


def tasks(count: int, of: str = "") -> Sequence[EvaluationTask]:
    return [a_task(f"{of}{number}", deadline_at=at(100_000)) for number in range(count)]


class Judged(NamedTuple):
    judge: MoodyJudge
    outcomes: Sequence[Outcome]
    seconds: float

    @property
    def ideal_seconds(self) -> float:
        """What the calls that took a slot would take with all slots busy; refusals and errors take none."""
        slow = sum(self.judge.said[name] for name in ("answer", "invalid_json", "out_of_range"))
        return (slow * CALL_SECONDS + self.judge.said["timeout"] * TIME_OUT_SECONDS) / AT_ONCE


async def judged(behaviour: Behaviour, seed: int) -> Judged:
    judge = MoodyJudge(behaviour, seed)
    evaluator = VirtualEvaluator(judge, seed, attempt_timeout_seconds=TIME_OUT_SECONDS)
    outcomes = await evaluator.judge_all(tasks(PARTS))
    return Judged(judge, outcomes, now())


@pytest.mark.parametrize("seed", SEEDS)
def test_two_hundred_parts_come_through_a_judge_that_refuses_breaks_and_hangs(seed: int) -> None:
    moody = Behaviour(
        latency_seconds=CALL_SECONDS, rate_429=0.2, rate_500=0.1, rate_invalid=0.05, rate_timeout=0.01, seed=seed
    )
    found = run(judged(moody, seed))
    failed = [outcome for outcome in found.outcomes if isinstance(outcome, PartFailed)]
    assert sorted(outcome.part_id for outcome in found.outcomes) == sorted(task.part_id for task in tasks(PARTS))
    assert len(failed) <= 0.02 * PARTS
    assert sum(outcome.attempts for outcome in found.outcomes) == sum(found.judge.said.values())
    assert found.seconds <= 1.5 * found.ideal_seconds


def test_nothing_is_asked_again_that_should_not_be() -> None:
    found = run(judged(Behaviour(fail={"": "refused"}), 0))
    assert all(isinstance(outcome, PartFailed) and outcome.attempts == 1 for outcome in found.outcomes)
    assert found.judge.said == {"refused": PARTS}


def test_a_judge_without_credit_is_asked_by_as_many_as_call_at_once_and_then_by_none() -> None:
    found = run(judged(Behaviour(fail={"": "quota"}), 0))
    assert found.judge.said["quota"] <= AT_ONCE
    assert {outcome.reason for outcome in found.outcomes if isinstance(outcome, PartFailed)} == {Reason.QUOTA_EXHAUSTED}
    assert len(found.outcomes) == PARTS


# --- four evaluators and a judge that takes ten calls at once

EVALUATORS = 4
SETTLED_AFTER_SECONDS, UNTIL_SECONDS = 60.0, 180.0


class Shared(NamedTuple):
    samples: Sequence[Sample]
    rate: float


async def shared(call_seconds: float, seed: int) -> Shared:
    judge = MoodyJudge(Behaviour(latency_seconds=call_seconds, max_concurrency=AT_ONCE), seed)
    evaluators = [VirtualEvaluator(judge, seed * EVALUATORS + number) for number in range(EVALUATORS)]
    enough = int(UNTIL_SECONDS * AT_ONCE / call_seconds)
    working = [
        asyncio.create_task(evaluator.judge_all(tasks(enough, f"{number}-")))
        for number, evaluator in enumerate(evaluators)
    ]
    samples = []
    while now() < UNTIL_SECONDS:
        samples.append(Sample(now(), tuple(evaluator.gates.limit for evaluator in evaluators), judge.in_flight))
        await asyncio.sleep(0.25)
    for work in working:
        work.cancel()
    await asyncio.wait(working)
    answered = sum(SETTLED_AFTER_SECONDS <= when < UNTIL_SECONDS for when in judge.answered_at)
    return Shared(samples, answered / (UNTIL_SECONDS - SETTLED_AFTER_SECONDS))


@pytest.mark.parametrize(("call_seconds", "seed"), [(1.0, 0), (2.0, 0), (2.0, 1)])
def test_four_evaluators_find_the_ten_calls_that_a_judge_takes(call_seconds: float, seed: int) -> None:
    found = run(shared(call_seconds, seed))
    settled = [sum(sample.limits) for sample in found.samples if sample.at >= SETTLED_AFTER_SECONDS]
    assert sum(found.samples[0].limits) == EVALUATORS * AT_ONCE
    assert sum(8 <= limits <= AT_ONCE for limits in settled) >= 0.9 * len(settled)
    assert found.rate >= 0.85 * AT_ONCE / call_seconds
