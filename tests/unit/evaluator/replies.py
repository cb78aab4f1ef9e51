"""What a judge may answer: valid answers to the tasks of the builders, to be bent by the tests."""

from collections.abc import Sequence
from typing import Any

from services.evaluator.answers import AgentAnswer, CriterionAnswer, LanguageAnswer, TeamAnswer, ThemeAnswer
from services.evaluator.calls import Failure, Reply
from shared.evaluations import Usage
from shared.vocabulary import Reason, Sentiment

CRITERIA = ("accuracy", "reliability", "efficiency")
MODEL = "gpt-4o-mini-2024-07-18"


def a_criterion(name: str, score: float | None = 8.0, evidence: Sequence[int] = (1,)) -> CriterionAnswer:
    return CriterionAnswer(name=name, reasoning=f"On {name}.", evidence=tuple(evidence), score=score)


def an_agent_answer(*criteria: CriterionAnswer) -> AgentAnswer:
    return AgentAnswer(
        reasoning="It answers.",
        criteria=criteria or tuple(a_criterion(name) for name in CRITERIA),
        strengths=("Brief.",),
        weaknesses=(),
        recommendations=("Go on.",),
    )


def a_team_answer(*criteria: CriterionAnswer) -> TeamAnswer:
    given = criteria or tuple(a_criterion(name, evidence=()) for name in ("effectiveness", "coordination"))
    return TeamAnswer(reasoning="R", criteria=given, recommendations=("Go on.",), executive_summary="S")


def a_language_answer(**changes: Any) -> LanguageAnswer:
    fields: dict[str, Any] = {
        "summary": "Users like it.",
        "positive_themes": (),
        "negative_themes": (),
        "feature_requests": (),
        "bug_reports": (),
        "positive_reviews": (1,),
        "negative_reviews": (),
        "mixed_reviews": (2,),
        "sentiment": Sentiment.POSITIVE,
    }
    return LanguageAnswer(**(fields | changes))


def a_theme(text: str, *reviews: int) -> ThemeAnswer:
    return ThemeAnswer(text=text, reviews=reviews)


def usage(input_tokens: int = 1_000, output_tokens: int = 100, cost_usd: float | None = 0.25) -> Usage:
    return Usage(model=MODEL, input_tokens=input_tokens, output_tokens=output_tokens, cost_usd=cost_usd)


def a_reply(text: str | None = None, used: Usage | None = None) -> Reply:
    return Reply(an_agent_answer().model_dump_json() if text is None else text, MODEL, used or usage())


def a_failure(reason: Reason = Reason.PROVIDER_ERROR, *, again: bool = True, **changes: Any) -> Failure:
    return Failure(reason, f"it was {reason}", again, **changes)


def limited(after: float | None = None) -> Failure:
    return a_failure(Reason.RATE_LIMITED, after=after)
