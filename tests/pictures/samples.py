"""Reports as they come from the judge, for the pictures: agents, failed ones, reviews, reviews from right to left."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from services.renderer.layout.results import is_scored
from shared.evaluations import (
    AgentEvaluation,
    CriterionScore,
    EvidenceRow,
    Facts,
    FrozenRow,
    OverviewEvaluation,
    Part,
    SharedTheme,
    Theme,
)
from shared.messages import Options
from shared.state import Plan
from shared.vocabulary import Kind, PartStatus, Reason, Role, Sentiment
from tests.builders import (
    AGENT_CRITERIA,
    TEAM_CRITERIA,
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_language_evaluation,
    a_plan,
    an_agent_evaluation,
    an_overview,
)
from tests.pictures import words

SAMPLES = Path(__file__).parents[2] / "services" / "standalone" / "samples"


class Sample(NamedTuple):
    """A report ready to be rendered."""

    name: str
    plan: Plan
    parts: tuple[Part, ...]
    rows: tuple[FrozenRow, ...]


def samples() -> Iterator[Sample]:
    """All of them."""
    yield _agents("agents", failures=False)
    yield _agents("failures", failures=True)
    yield _reviews("reviews", words.LANGUAGES, _packaged_reviews())
    yield _reviews("right-to-left", words.RIGHT_TO_LEFT, _right_to_left_reviews())


def _packaged(name: str) -> list[dict[str, str | int | float]]:
    return [json.loads(line) for line in (SAMPLES / name).read_text().splitlines()]


def _agents(name: str, *, failures: bool) -> Sample:
    rows = tuple(
        FrozenRow(
            key=str(run["agent_id"]),
            row=EvidenceRow(id=str(run["run_id"]), values={k: v for k, v in run.items() if k != "agent_id"}),
        )
        for run in _packaged("runs.jsonl")
    )
    judged = [_agent(agent, rows) for agent in words.AGENTS]
    if failures:
        judged[3:5] = [
            _failed(judged[3], Reason.TIMED_OUT, "No answer within 100 s, three times."),
            _failed(judged[4], Reason.REFUSED, "The judge declined: the runs contain card numbers.", attempts=1),
        ]
        judged[1] = judged[1].model_copy(update={"score": None, "passed": None, "evaluation": _unjudged(judged[1])})
    scored = sum(map(is_scored, judged))
    parts = (*judged, _team(scored, len(judged)))
    columns = ("started_at", "input", "output", "status", "duration_seconds", "tokens", "cost_usd", "model")
    plan = a_plan(pieces=len(judged), rows=len(rows), columns=columns, subject="bicycle-shop")
    return Sample(name, plan, parts, rows)


def _agent(agent: words.Agent, rows: Sequence[FrozenRow]) -> Part:
    runs = [row for row in rows if row.key == agent.key]
    ids = tuple(row.row.id for row in runs[:3])
    scores = [
        CriterionScore(name=criterion.name, score=score, reasoning=reason, evidence_ids=ids)
        for criterion, score, reason in zip(AGENT_CRITERIA, agent.scores, agent.reasons, strict=True)
    ]
    total = sum(criterion.weight * score for criterion, score in zip(AGENT_CRITERIA, agent.scores, strict=True))
    succeeded = sum(row.row.values.get("status") == "success" for row in runs)
    return a_judged_part(
        agent.key,
        round(total, 6),
        name=agent.name,
        description=agent.description,
        passed=all(score >= rule.threshold for rule, score in zip(AGENT_CRITERIA, agent.scores, strict=True)),
        evaluation=an_agent_evaluation().model_copy(
            update={
                "criteria": tuple(scores),
                "reasoning": agent.reasoning,
                "strengths": agent.strengths,
                "weaknesses": agent.weaknesses,
                "recommendations": agent.recommendations,
            }
        ),
        facts=Facts(rows=len(runs), finished=len(runs), succeeded=succeeded),
        coverage={"total": len(runs), "used": len(runs)},
    )


def _failed(part: Part, reason: Reason, detail: str, attempts: int = 3) -> Part:
    failed = a_failed_part(part.key, reason, detail=detail, attempts=attempts)
    kept = {"name": part.name, "description": part.description, "facts": part.facts, "coverage": part.coverage}
    return failed.model_copy(update=kept)


def _unjudged(part: Part) -> AgentEvaluation:
    assert isinstance(part.evaluation, AgentEvaluation)
    found = part.evaluation
    first, *others = found.criteria
    return found.model_copy(
        update={"criteria": (first.model_copy(update={"score": None, "reasoning": words.NO_EVIDENCE}), *others)}
    )


def _team(scored: int, total: int) -> Part:
    scores = (7.8, 6.1)
    return an_overview(
        evaluation=OverviewEvaluation(
            executive_summary=words.TEAM_SUMMARY.format(scored=scored, total=total),
            reasoning=words.TEAM_REASONING,
            criteria=tuple(
                CriterionScore(name=criterion.name, score=score, reasoning=reason)
                for criterion, score, reason in zip(TEAM_CRITERIA, scores, words.TEAM_REASONS, strict=True)
            ),
            recommendations=words.TEAM_RECOMMENDATIONS,
        )
    )


def _packaged_reviews() -> tuple[FrozenRow, ...]:
    return tuple(
        FrozenRow(
            key=str(review["language"]),
            row=EvidenceRow(id=str(review["review_id"]), values={k: v for k, v in review.items() if k != "review_id"}),
        )
        for review in _packaged("reviews.jsonl")
    )


def _right_to_left_reviews() -> tuple[FrozenRow, ...]:
    return tuple(
        FrozenRow(
            key=key, row=EvidenceRow(id=f"{key}-{number}", values={"language": key, "text": text, "rating": rating})
        )
        for key, reviews in words.RIGHT_TO_LEFT_REVIEWS.items()
        for number, (text, rating) in enumerate(reviews, 1)
    )


def _reviews(name: str, languages: Sequence[words.Language], rows: Sequence[FrozenRow]) -> Sample:
    known = {row.key for row in rows}
    parts = [_language(language, rows) for language in languages if language.key in known]
    if len(parts) > len(words.RIGHT_TO_LEFT):
        failed = a_failed_part("ja", Reason.RATE_LIMITED, Role.LANGUAGE, detail="429 after five attempts.", attempts=5)
        facts, coverage = parts[-1].facts, parts[-1].coverage
        parts[-1] = failed.model_copy(update={"facts": facts, "coverage": coverage, "name": "ja"})
    themes = tuple(SharedTheme(text=theme, keys=tuple(part.key for part in parts)) for theme in words.SHARED_THEMES)
    overview = an_overview(
        criteria=(),
        evaluation=OverviewEvaluation(
            executive_summary=words.SUMMARIES[name], themes=themes, recommendations=words.REVIEW_RECOMMENDATIONS
        ),
    )
    columns = tuple(dict.fromkeys(field for row in rows for field in row.row.values))
    plan = a_plan(
        kind=Kind.REVIEWS,
        pieces=len(parts),
        rows=len(rows),
        columns=columns,
        subject="route-planner",
        title=words.TITLES[name],
        options=Options(overview="concurrent"),
    )
    return Sample(name, plan, (*parts, overview), tuple(rows))


def _language(language: words.Language, rows: Sequence[FrozenRow]) -> Part:
    reviews = [row for row in rows if row.key == language.key]
    ids = [row.row.id for row in reviews]
    ratings = [row.row.values["rating"] for row in reviews if row.row.values.get("rating") is not None]
    rated = [float(rating) for rating in ratings if rating is not None]

    def theme(text: str, *places: int) -> Theme:
        return Theme(text=text, mentions=len(places), review_ids=tuple(ids[place] for place in places))

    said = language.said
    return a_judged_language(
        language.key,
        evaluation=a_language_evaluation(
            sentiment=Sentiment.MIXED,
            summary=said.summary,
            positive_themes=(theme(said.liked, 0, -1),),
            negative_themes=(theme(said.disliked, 2, 3),),
            feature_requests=(theme(said.wanted, 3),),
            bug_reports=(theme(said.broken, 1),),
            positive_ids=(ids[0], ids[-1]),
            negative_ids=(ids[1], ids[2]),
            mixed_ids=(ids[3],),
        ),
        facts=Facts(
            rows=len(reviews),
            rated=len(rated),
            positive=sum(rating >= 4 for rating in rated),
            mean_rating=sum(rated) / len(rated),
        ),
        coverage={"total": len(reviews), "used": len(reviews)},
        status=PartStatus.COMPLETED,
    )
