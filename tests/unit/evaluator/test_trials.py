"""What several judgements of one part amount to."""

import asyncio
from typing import Any

import pytest

from services.evaluator.claims import Permission
from services.evaluator.repeated import repeated
from services.evaluator.trials import combined, trials_of
from shared.evaluations import Usage
from shared.messages import EvaluationTask, JudgeOptions, Outcome, PartEvaluated, PartFailed
from shared.state import Claim
from shared.vocabulary import Kind, Reason, Role, Sentiment
from tests.builders import a_language_evaluation, a_task, an_agent_evaluation, at
from tests.unit.renderer.folding import evaluated, failed

CLAIM = Claim("key", "owner", at(60))


def a_trial(*scores: float | None, **changes: Any) -> PartEvaluated:
    return evaluated("7", evaluation=an_agent_evaluation(scores=scores), **changes)


def together(*outcomes: PartEvaluated | PartFailed, task: EvaluationTask | None = None) -> PartEvaluated:
    found = combined(task or a_task(), outcomes)
    assert isinstance(found, PartEvaluated)
    return found


def scores_of(outcome: PartEvaluated) -> list[float | None]:
    assert outcome.evaluation is not None
    return [score.score for score in outcome.evaluation.criteria]  # type: ignore[union-attr]  # an agent's


def test_scores_are_the_means_and_the_verdict_follows_from_them() -> None:
    found = together(a_trial(8, 7, 6), a_trial(6, 7, 6), a_trial(7, 7, 6))
    assert scores_of(found) == [7, 7, 6]
    assert (found.score, found.passed) == (6.7, True)  # by their weights
    assert together(a_trial(8, 7, 6), a_trial(5.9, 7, 6)).passed is False


def test_the_spread_is_said_for_each_criterion_and_for_the_whole() -> None:
    trials = together(a_trial(8, 7, 6), a_trial(6, 7, 6), a_trial(7, 7, 6)).trials
    assert trials is not None
    assert (trials.asked, trials.judged, trials.failed) == (3, 3, ())
    accuracy, reliability, _ = trials.criteria
    assert (accuracy.mean, accuracy.deviation, accuracy.lowest, accuracy.highest) == (7, 1, 6, 8)
    assert (reliability.deviation, reliability.judged) == (0, 3)
    assert trials.score is not None
    assert (trials.score.mean, trials.score.deviation, trials.score.lowest, trials.score.highest) == (
        6.7,
        0.4,
        6.3,
        7.1,
    )


def test_the_words_are_those_of_the_judgement_nearest_to_the_mean() -> None:
    outlier, near = a_trial(1, 1, 1), a_trial(7, 7, 7)
    said = an_agent_evaluation(scores=(6, 6, 6), reasoning="In between.")
    found = together(outlier, evaluated("7", evaluation=said), near).evaluation
    assert found.model_copy(update={"criteria": said.criteria}) == said


@pytest.mark.parametrize(
    ("scores", "mean", "judged"),
    [((8, None, None), None, 1), ((8, 6, None), 7, 2), ((8, None), 8, 1), ((None, None), None, 0)],
)
def test_a_criterion_that_most_judgements_left_unscored_is_unscored(
    scores: tuple[float | None, ...], mean: float | None, judged: int
) -> None:
    found = together(*[a_trial(score, 7, 6) for score in scores])
    assert found.trials is not None
    assert (scores_of(found)[0], found.trials.criteria[0].judged) == (mean, judged)
    assert (found.passed is None) is (mean is None)


def test_a_failed_judgement_leaves_the_others_and_is_said() -> None:
    found = together(a_trial(8, 7, 6), failed("7", Reason.REFUSED), a_trial(6, 7, 6))
    assert found.trials is not None
    assert (found.trials.asked, found.trials.judged, found.trials.failed) == (3, 2, (Reason.REFUSED,))
    assert scores_of(found)[0] == 7


def test_one_judgement_that_is_left_has_no_deviation() -> None:
    found = together(a_trial(8, 7, 6), failed("7"))
    assert found.trials is not None
    assert found.trials.criteria[0].deviation is None
    assert found.score == 7.1


def test_usage_and_attempts_are_those_of_all_judgements() -> None:
    found = together(a_trial(8, 7, 6, seconds=4), failed("7", attempts=3, seconds=9), a_trial(6, 7, 6))
    assert found.usage == Usage(model="gpt-4o-mini", input_tokens=3_000, output_tokens=300, cost_usd=0.003)
    assert (found.attempts, found.seconds) == (5, 9)


def test_a_part_fails_only_if_every_judgement_did_and_costs_what_they_cost() -> None:
    found = combined(a_task(), [failed("7", Reason.REFUSED, first_failed_at=at(3)), failed("7", first_failed_at=at(2))])
    assert isinstance(found, PartFailed)
    assert (found.reason, found.attempts, found.first_failed_at) == (Reason.REFUSED, 6, at(2))
    assert found.detail == "all of 2 judgements failed; the first: No answer."
    assert found.usage.input_tokens == 2_000


@pytest.mark.parametrize(
    ("heard", "sentiment", "agreement"),
    [
        ("positive positive negative", Sentiment.POSITIVE, 0.6667),
        ("negative", Sentiment.NEGATIVE, 1),
        ("positive negative", Sentiment.MIXED, 0),
        ("positive positive negative negative mixed", Sentiment.MIXED, 0.2),
    ],
)
def test_a_languages_sentiment_is_that_of_the_most_judgements(
    heard: str, sentiment: Sentiment, agreement: float
) -> None:
    said = [
        evaluated("en", None, evaluation=a_language_evaluation(sentiment=Sentiment(word), summary=f"{word} {number}"))
        for number, word in enumerate(heard.split())
    ]
    found = together(*said, task=a_task("en", Role.LANGUAGE))
    assert found.evaluation.sentiment is sentiment  # type: ignore[union-attr]  # a language's
    assert found.trials is not None
    assert found.trials.agreement == agreement
    first = next((item for item in said if item.evaluation.sentiment is sentiment), said[0])  # type: ignore[union-attr]
    assert found.evaluation.summary == first.evaluation.summary  # type: ignore[union-attr]


def test_an_overview_of_reviews_is_text_and_is_judged_once() -> None:
    judge = JudgeOptions(model="m", trials=5)
    assert trials_of(a_task("overview", Role.OVERVIEW, kind=Kind.REVIEWS, judge=judge)) == 1
    assert trials_of(a_task("overview", Role.OVERVIEW, judge=judge)) == 5
    assert trials_of(a_task(judge=judge)) == 5


# --- asking several times


class Judging:
    """Gives these outcomes in turn, once all of them were asked for."""

    def __init__(self, *outcomes: Outcome | Permission) -> None:
        self._outcomes = list(outcomes)
        self._all_asked = asyncio.Barrier(len(outcomes))

    async def __call__(self, task: EvaluationTask, claim: Claim) -> Outcome | Permission:
        del task, claim
        outcome = self._outcomes.pop(0)
        await self._all_asked.wait()
        return outcome


def asked(trials: int) -> EvaluationTask:
    return a_task(judge=JudgeOptions(model="gpt-4o-mini", trials=trials))


async def test_all_judgements_are_asked_for_at_once() -> None:
    found = await repeated(Judging(a_trial(8, 7, 6), a_trial(6, 7, 6), failed("7")))(asked(3), CLAIM)
    assert isinstance(found, PartEvaluated)
    assert found.trials is not None
    assert (found.trials.asked, found.trials.judged) == (3, 2)


async def test_a_part_that_is_judged_once_is_as_ever() -> None:
    once = a_trial(8, 7, 6)
    assert await repeated(Judging(once))(asked(1), CLAIM) is once


@pytest.mark.parametrize("permission", [Permission.ENDED, Permission.LEAVING, Permission.LAPSED])
async def test_a_judgement_that_is_not_permitted_leaves_the_whole_part(permission: Permission) -> None:
    found = await repeated(Judging(a_trial(8, 7, 6), permission))(asked(2), CLAIM)
    assert found is permission
