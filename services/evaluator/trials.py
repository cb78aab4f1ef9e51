"""What several judgements of the same part amount to: their mean, their spread, and how many there were.

The numbers are computed from all of them; the words are those of the one judgement that lies nearest to the mean.
"""

from collections import Counter
from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

from services.evaluator.pricing import Bill
from services.evaluator.scoring import SCORE_DIGITS, verdict
from shared.evaluations import (
    AgentEvaluation,
    Criterion,
    CriterionScore,
    Evaluation,
    LanguageEvaluation,
    OverviewEvaluation,
    Spread,
    Trials,
    Usage,
)
from shared.messages import EvaluationTask, PartEvaluated, PartFailed
from shared.vocabulary import Kind, Role, Sentiment

Scored = AgentEvaluation | OverviewEvaluation


def trials_of(task: EvaluationTask) -> int:
    """How often a part is judged: an overview of reviews is text alone, of which there is no mean."""
    return 1 if task.role is Role.OVERVIEW and task.kind is Kind.REVIEWS else max(1, task.judge.trials)


def combined(task: EvaluationTask, outcomes: Sequence[PartEvaluated | PartFailed]) -> PartEvaluated | PartFailed:
    """The outcome of a part that was judged several times: failed only if every judgement failed."""
    judged = [outcome for outcome in outcomes if isinstance(outcome, PartEvaluated)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, PartFailed)]
    taken = {
        "usage": _sum([outcome.usage for outcome in outcomes]),
        "attempts": sum(outcome.attempts for outcome in outcomes),
        "seconds": max(outcome.seconds for outcome in outcomes),
        "finished_at": max(outcome.finished_at for outcome in outcomes),
    }
    if not judged:
        first = [outcome.first_failed_at for outcome in failed if outcome.first_failed_at]
        detail = f"all of {len(failed)} judgements failed; the first: {failed[0].detail}"
        return failed[0].model_copy(update={**taken, "detail": detail, "first_failed_at": min(first, default=None)})
    reasons = tuple(outcome.reason for outcome in failed)
    result = _joined(task, judged)
    counted = result.trials.model_copy(update={"asked": len(outcomes), "judged": len(judged), "failed": reasons})
    return judged[0].model_copy(update={**taken, **result._asdict(), "trials": counted})


class _Result(NamedTuple):
    """What the judgements say together."""

    evaluation: Evaluation
    score: float | None
    passed: bool | None
    trials: Trials


def _joined(task: EvaluationTask, judged: Sequence[PartEvaluated]) -> _Result:
    found = [outcome.evaluation for outcome in judged]
    languages = [item for item in found if isinstance(item, LanguageEvaluation)]
    if languages:
        return _language(languages)
    scored = [item for item in found if isinstance(item, AgentEvaluation | OverviewEvaluation)]
    return _scored(task.criteria, scored)


def _scored(criteria: Sequence[Criterion], found: Sequence[Scored]) -> _Result:
    spreads = tuple(_spread(criterion.name, found) for criterion in criteria)
    means = {spread.name: spread.mean for spread in spreads}
    nearest = min(found, key=lambda item: _distance(item, means))
    scores = tuple(score.model_copy(update={"score": means.get(score.name)}) for score in nearest.criteria)
    decided = verdict(criteria, scores)
    parts = [score for item in found if (score := verdict(criteria, item.criteria).score) is not None]
    whole = _of("score", parts, len(found))
    evaluation = nearest.model_copy(update={"criteria": scores})
    return _Result(evaluation, decided.score, decided.passed, Trials(score=whole, criteria=spreads))


def _spread(name: str, found: Sequence[Scored]) -> Spread:
    """Of one criterion. Where more judgements than not saw no evidence for it, it is unscored."""
    scores = [_score(item, name) for item in found]
    return _of(name, [score for score in scores if score is not None], len(found))


def _of(name: str, scores: Sequence[float], of: int) -> Spread:
    if not scores or 2 * len(scores) < of:
        return Spread(name=name, judged=len(scores))
    mean = fsum(scores) / len(scores)
    deviation = sqrt(fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1)) if len(scores) > 1 else None
    return Spread(
        name=name,
        judged=len(scores),
        mean=round(mean, SCORE_DIGITS),
        deviation=None if deviation is None else round(deviation, SCORE_DIGITS),
        lowest=min(scores),
        highest=max(scores),
    )


def _score(item: Scored, name: str) -> float | None:
    return next((score.score for score in item.criteria if score.name == name), None)


def _distance(item: Scored, means: dict[str, float | None]) -> float:
    """How far a judgement lies from the mean; what it left unscored, or scored alone, counts as far away."""
    return fsum(_apart(score, means.get(score.name)) for score in item.criteria)


def _apart(score: CriterionScore, mean: float | None) -> float:
    if score.score is None or mean is None:
        return 0.0 if score.score is mean else 10.0
    return abs(score.score - mean)


def _language(found: Sequence[LanguageEvaluation]) -> _Result:
    """The sentiment that most judgements found, `mixed` where no one is ahead; text and lists of one that found it."""
    votes = Counter(item.sentiment for item in found)
    most = max(votes.values())
    ahead = [sentiment for sentiment, count in votes.items() if count == most]
    sentiment = ahead[0] if len(ahead) == 1 else Sentiment.MIXED
    said = next((item for item in found if item.sentiment is sentiment), found[0])
    trials = Trials(agreement=round(votes[sentiment] / len(found), SCORE_DIGITS))
    return _Result(said.model_copy(update={"sentiment": sentiment}), None, None, trials)


def _sum(usages: Sequence[Usage]) -> Usage:
    bill = Bill()
    for usage in usages:
        bill = bill.plus(usage) if usage.model else bill
    return bill.usage
