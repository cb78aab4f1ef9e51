"""What the judge's answer amounts to: checked against the task, joined to its ids, scored and decided in code."""

from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

from services.evaluator.answers import (
    AgentAnswer,
    AnyAnswer,
    CriterionAnswer,
    LanguageAnswer,
    LanguagesAnswer,
    TeamAnswer,
    ThemeAnswer,
)
from shared.evaluations import (
    AgentEvaluation,
    Criterion,
    CriterionScore,
    Evaluation,
    LanguageEvaluation,
    OverviewEvaluation,
    SharedTheme,
    Theme,
)
from shared.messages import EvaluationTask

SCORE_DIGITS = 4


class InvalidAnswerError(Exception):
    """The answer has the right form but breaks a rule of the task; the message can be shown to the judge."""


class Verdict(NamedTuple):
    """The weighted mean of the judged criteria, and whether all meet their thresholds; None where it cannot be said."""

    score: float | None
    passed: bool | None


def evaluation_of(answer: AnyAnswer, task: EvaluationTask) -> Evaluation:
    """The evaluation an answer stands for. Raises InvalidAnswerError."""
    match answer:
        case AgentAnswer():
            return AgentEvaluation(
                criteria=_criteria(answer.criteria, task),
                reasoning=answer.reasoning,
                strengths=answer.strengths,
                weaknesses=answer.weaknesses,
                recommendations=answer.recommendations,
            )
        case LanguageAnswer():
            return _language(answer, _ids(task))
        case TeamAnswer():
            return OverviewEvaluation(
                executive_summary=answer.executive_summary,
                reasoning=answer.reasoning,
                criteria=_criteria(answer.criteria, task),
                recommendations=answer.recommendations,
            )
        case LanguagesAnswer():
            keys = {result.key for result in task.results} | {group.key for group in task.evidence}
            return OverviewEvaluation(
                executive_summary=answer.executive_summary,
                reasoning=answer.reasoning,
                themes=tuple(_shared_theme(theme.text, theme.languages, keys) for theme in answer.themes),
                recommendations=answer.recommendations,
            )


def verdict(criteria: Sequence[Criterion], scores: Sequence[CriterionScore]) -> Verdict:
    """Weighted mean over the judged criteria by name; passed only if every criterion is judged and at its threshold."""
    by_name = {score.name: score.score for score in scores}
    judged = [(item, score) for item in criteria if (score := by_name.get(item.name)) is not None]
    largest = max((item.weight for item, _ in judged), default=0.0)
    if largest <= 0:
        return Verdict(None, None)
    shares = [(item.weight / largest, score) for item, score in judged]  # of any magnitude: only their ratio counts
    mean = fsum(share * score for share, score in shares) / fsum(share for share, _ in shares)
    passed = all(score >= item.threshold for item, score in judged) if len(judged) == len(criteria) else None
    return Verdict(round(min(mean, 10.0), SCORE_DIGITS), passed)


def _criteria(answers: Sequence[CriterionAnswer], task: EvaluationTask) -> tuple[CriterionScore, ...]:
    """In the order of the task; each requested criterion exactly once."""
    asked = [criterion.name for criterion in task.criteria]
    given = [answer.name for answer in answers]
    if sorted(asked) != sorted(given):
        raise InvalidAnswerError(f"criteria must be exactly {asked}, each once; the answer has {given}")
    by_name = {answer.name: answer for answer in answers}
    ids = _ids(task)
    return tuple(
        CriterionScore(
            name=name,
            score=by_name[name].score,
            reasoning=by_name[name].reasoning,
            evidence_ids=_cited(by_name[name].evidence, ids) if ids else (),
        )
        for name in asked
    )


def _language(answer: LanguageAnswer, ids: Sequence[str]) -> LanguageEvaluation:
    read = [*answer.positive_reviews, *answer.negative_reviews, *answer.mixed_reviews]
    if len(read) != len(set(read)):
        raise InvalidAnswerError("a review may stand in only one of positive_reviews, negative_reviews, mixed_reviews")
    return LanguageEvaluation(
        sentiment=answer.sentiment,
        summary=answer.summary,
        positive_themes=_themes(answer.positive_themes, ids),
        negative_themes=_themes(answer.negative_themes, ids),
        feature_requests=_themes(answer.feature_requests, ids),
        bug_reports=_themes(answer.bug_reports, ids),
        positive_ids=_cited(answer.positive_reviews, ids),
        negative_ids=_cited(answer.negative_reviews, ids),
        mixed_ids=_cited(answer.mixed_reviews, ids),
    )


def _themes(themes: Sequence[ThemeAnswer], ids: Sequence[str]) -> tuple[Theme, ...]:
    """Most mentioned first."""
    found = []
    for theme in themes:
        cited = _cited(theme.reviews, ids)
        found.append(Theme(text=theme.text, mentions=len(cited), review_ids=cited))
    return tuple(sorted(found, key=lambda theme: -theme.mentions))


def _shared_theme(text: str, languages: Sequence[str], keys: set[str]) -> SharedTheme:
    if unknown := [language for language in languages if language not in keys]:
        raise InvalidAnswerError(f"there is no language {unknown[0]!r}; the languages are {sorted(keys)}")
    return SharedTheme(text=text, keys=tuple(dict.fromkeys(languages)))


def _ids(task: EvaluationTask) -> tuple[str, ...]:
    """The ids by row number less one; none where rows of several pieces share numbers."""
    return tuple(row.id for row in task.evidence[0].rows) if len(task.evidence) == 1 else ()


def _cited(numbers: Sequence[int], ids: Sequence[str]) -> tuple[str, ...]:
    """The ids behind row numbers, each once, in order."""
    if wrong := [number for number in numbers if not 1 <= number <= len(ids)]:
        raise InvalidAnswerError(f"there is no row {wrong[0]}; rows are numbered from 1 to {len(ids)}")
    return tuple(dict.fromkeys(ids[number - 1] for number in numbers))
