"""The form of the judge's answers: what it is asked to return, field by field, reasoning before scores."""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.messages import EvaluationTask
from shared.vocabulary import Kind, Role, Sentiment


class Answer(BaseModel):
    """A part of an answer. Every field is required, as structured outputs in strict mode want it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CriterionAnswer(Answer):
    """One criterion: evidence by row number, then a score from 0 to 10, or null if the evidence does not say."""

    name: str
    reasoning: str
    evidence: tuple[int, ...]
    score: float | None = Field(ge=0, le=10)


class AgentAnswer(Answer):
    """What is asked of the judge for an agent."""

    reasoning: str
    criteria: tuple[CriterionAnswer, ...]
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    recommendations: tuple[str, ...]


class ThemeAnswer(Answer):
    """A theme and the numbers of all reviews that mention it."""

    text: str
    reviews: tuple[int, ...]


class LanguageAnswer(Answer):
    """What is asked of the judge for a language; reviews that are neither positive, negative nor mixed are left out."""

    summary: str
    positive_themes: tuple[ThemeAnswer, ...]
    negative_themes: tuple[ThemeAnswer, ...]
    feature_requests: tuple[ThemeAnswer, ...]
    bug_reports: tuple[ThemeAnswer, ...]
    positive_reviews: tuple[int, ...]
    negative_reviews: tuple[int, ...]
    mixed_reviews: tuple[int, ...]
    sentiment: Sentiment


class TeamAnswer(Answer):
    """What is asked of the judge for the team of all agents."""

    reasoning: str
    criteria: tuple[CriterionAnswer, ...]
    recommendations: tuple[str, ...]
    executive_summary: str


class SharedThemeAnswer(Answer):
    """A theme that several languages share."""

    text: str
    languages: tuple[str, ...]


class LanguagesAnswer(Answer):
    """What is asked of the judge for all languages together."""

    reasoning: str
    themes: tuple[SharedThemeAnswer, ...]
    recommendations: tuple[str, ...]
    executive_summary: str


AnyAnswer = AgentAnswer | LanguageAnswer | TeamAnswer | LanguagesAnswer


def answer_type(
    task: EvaluationTask,
) -> type[AgentAnswer] | type[LanguageAnswer] | type[TeamAnswer] | type[LanguagesAnswer]:
    """The form of the answer to a task."""
    match task.role:
        case Role.AGENT:
            return AgentAnswer
        case Role.LANGUAGE:
            return LanguageAnswer
        case Role.OVERVIEW:
            return TeamAnswer if task.kind is Kind.AGENTS else LanguagesAnswer


@lru_cache(maxsize=256)
def answer_schema(form: type[BaseModel], criteria: tuple[str, ...]) -> Mapping[str, JsonValue]:
    """The JSON schema of an answer, with the names of the criteria as the only ones allowed."""
    schema = form.model_json_schema()
    if criterion := schema.get("$defs", {}).get("CriterionAnswer"):
        criterion["properties"]["name"]["enum"] = list(criteria)
    return _plain(schema)


def _plain(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Without titles, descriptions and number ranges, which cost tokens or are not allowed in strict mode."""
    dropped = {"title", "description", "minimum", "maximum"}
    return {
        name: {key: _plain(value) for key, value in part.items() if isinstance(value, dict)}
        if name in {"properties", "$defs"} and isinstance(part, dict)
        else _plain(part)
        if isinstance(part, dict)
        else [_plain(item) if isinstance(item, dict) else item for item in part]
        if isinstance(part, list)
        else part
        for name, part in schema.items()
        if name not in dropped
    }
