"""Valid values to test with: each builder takes by keyword what the test is about and fills in the rest."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.evaluations import (
    AgentEvaluation,
    Coverage,
    Criterion,
    CriterionScore,
    EvidenceGroup,
    EvidenceRow,
    Facts,
    FrozenRow,
    Judge,
    LanguageEvaluation,
    OverviewEvaluation,
    Part,
    Scalar,
    Theme,
    Usage,
)
from shared.messages import CriteriaSpec, EvaluationTask, JudgeOptions, Options, Period, ReportRequested, part_id
from shared.state import Plan, Report
from shared.vocabulary import Kind, Lane, PartStatus, Reason, Role, Sentiment

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REPORT_ID = "env-42-2026-11"
AGENT_CRITERIA = (
    Criterion(name="accuracy", description="Is the answer right?", weight=0.4, threshold=7),
    Criterion(name="reliability", description="Is it right every time?", weight=0.3, threshold=7),
    Criterion(name="efficiency", description="Does it take no detours?", weight=0.3, threshold=6),
)
TEAM_CRITERIA = (
    Criterion(name="effectiveness", description="Does the team reach its goal?", weight=0.6, threshold=7),
    Criterion(name="coordination", description="Do the agents help each other?", weight=0.4, threshold=6.5),
)


def at(seconds: float) -> datetime:
    """A time so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def a_plan(**changes: Any) -> Plan:
    """The plan of a report on three agents with ten runs each; with `kind` reviews, on three languages."""
    kind = changes.get("kind", Kind.AGENTS)
    defaults: dict[str, Any] = {
        "report_id": REPORT_ID,
        "token": f"{REPORT_ID}.0",
        "content_sha256": "ab" * 32,
        "kind": kind,
        "title": "Support agents, November" if kind is Kind.AGENTS else "What users say, November",
        "subject": "42",
        "period": Period.model_validate({"from": at(-30 * 86_400), "to": NOON}),
        "criteria": CriteriaSpec(goal="Resolve every ticket." if kind is Kind.AGENTS else None),
        "options": Options(),
        "pieces": 3,
        "overview": "synthesis" if kind is Kind.AGENTS else "concurrent",
        "lane": Lane.SMALL,
        "prompt_version": "3",
        "rows": 30,
        "columns": ("input", "output") if kind is Kind.AGENTS else ("text", "rating"),
        "accepted_at": NOON,
        "planned_at": at(1),
        "deadline_at": at(900),
    }
    return Plan(**(defaults | changes))


def a_report(parts: Sequence[Part] = (), **changes: Any) -> Report:
    """The state of a report whose parts have come this far; the workbook is about to be built."""
    pieces = [part for part in parts if part.role is not Role.OVERVIEW]
    overview = next((part for part in parts if part.role is Role.OVERVIEW), None)
    completed = [part for part in pieces if part.status is PartStatus.COMPLETED]
    costs = [part.usage.cost_usd for part in parts if part.usage.model]
    defaults: dict[str, Any] = {
        "report_id": REPORT_ID,
        "kind": Kind.REVIEWS if any(part.role is Role.LANGUAGE for part in pieces) else Kind.AGENTS,
        "title": "Support agents, November",
        "status": "rendering",
        "pieces": len(pieces),
        "completed": len(completed),
        "passed": sum(part.passed is True for part in completed),
        "not_passed": sum(part.passed is False for part in completed),
        "errored": sum(part.status is PartStatus.ERRORED for part in pieces),
        "cancelled": sum(part.status is PartStatus.CANCELLED for part in pieces),
        "overview": overview.status if overview else None,
        "overview_reason": overview.reason if overview else None,
        "scored": sum(part.score is not None for part in completed),
        "score_sum_micro": sum(round((part.score or 0) * 1_000_000) for part in completed),
        "input_tokens": sum(part.usage.input_tokens for part in parts),
        "output_tokens": sum(part.usage.output_tokens for part in parts),
        "cost_nano": sum(round((cost or 0) * 1_000_000_000) for cost in costs),
        "unpriced": None in costs,
        "accepted_at": NOON,
        "planned_at": at(1),
        "evaluated_at": at(60),
        "deadline_at": at(900),
    }
    return Report(**(defaults | changes))


def a_part(key: str = "7", role: Role = Role.AGENT, **changes: Any) -> Part:
    """A pending part, as planned."""
    report_id = changes.get("report_id", REPORT_ID)
    criteria = {Role.AGENT: AGENT_CRITERIA, Role.OVERVIEW: TEAM_CRITERIA, Role.LANGUAGE: ()}
    defaults: dict[str, Any] = {
        "part_id": part_id(report_id, role, key),
        "report_id": report_id,
        "role": role,
        "key": key,
        "name": f"Agent {key}" if role is Role.AGENT else key,
        "criteria": criteria[role],
        "facts": Facts(rows=10, finished=10, succeeded=8) if role is Role.AGENT else Facts(rows=10),
        "coverage": Coverage(total=10, used=10),
    }
    return Part(**(defaults | changes))


def a_judged_part(key: str = "7", score: float | None = 7.5, **changes: Any) -> Part:
    """An agent that was judged, with this score for every criterion; None leaves the first criterion unjudged."""
    criteria = changes.get("criteria", AGENT_CRITERIA)
    scores = [score if index or score is not None else None for index in range(len(criteria))]
    return a_part(
        key,
        **{
            "evaluation": an_agent_evaluation(criteria, scores),
            "score": score,
            "passed": None if score is None else all(score >= criterion.threshold for criterion in criteria),
            **_judged(),
            **changes,
        },
    )


def an_agent_evaluation(
    criteria: Sequence[Criterion] = AGENT_CRITERIA, scores: Sequence[float | None] = (8.0, 7.5, 6.5), **changes: Any
) -> AgentEvaluation:
    """A verdict with these scores, in the order of the criteria."""
    judged = [
        CriterionScore(
            name=criterion.name, score=score, reasoning="Ten runs were read.", evidence_ids=("run-1", "run-2")
        )
        for criterion, score in zip(criteria, scores, strict=True)
    ]
    defaults: dict[str, Any] = {
        "criteria": tuple(judged),
        "reasoning": "It answers well and asks back where it must.",
        "strengths": ("It cites its source.", "It is brief."),
        "weaknesses": ("It repeats the question.",),
        "recommendations": ("Give it the price list.",),
    }
    return AgentEvaluation(**(defaults | changes))


def a_judged_language(key: str = "en", **changes: Any) -> Part:
    """A language whose reviews were judged."""
    return a_part(key, Role.LANGUAGE, **{"evaluation": a_language_evaluation(), **_judged(), **changes})


def a_language_evaluation(**changes: Any) -> LanguageEvaluation:
    """What ten reviews of a language say."""
    defaults: dict[str, Any] = {
        "sentiment": Sentiment.MIXED,
        "summary": "Users like the search and miss a dark mode.",
        "positive_themes": (Theme(text="Fast search", mentions=4, review_ids=("r1", "r2", "r3", "r4")),),
        "negative_themes": (Theme(text="Log-in fails", mentions=2, review_ids=("r5", "r6")),),
        "feature_requests": (Theme(text="Dark mode", mentions=3, review_ids=("r1", "r7", "r8")),),
        "bug_reports": (Theme(text="Crash on rotation", mentions=1, review_ids=("r9",)),),
        "positive_ids": ("r1", "r2", "r3", "r4"),
        "negative_ids": ("r5", "r6"),
        "mixed_ids": ("r7",),
    }
    return LanguageEvaluation(**(defaults | changes))


def an_overview(**changes: Any) -> Part:
    """An overview that was judged."""
    evaluation = OverviewEvaluation(
        executive_summary="The team does its work. Two agents need attention.",
        reasoning="The scores agree with the runs.",
        criteria=tuple(CriterionScore(name=criterion.name, score=7.2) for criterion in TEAM_CRITERIA),
        recommendations=("Look at the slowest agent first.",),
    )
    return a_part("overview", Role.OVERVIEW, **{"evaluation": evaluation, **_judged(), **changes})


def a_failed_part(key: str = "7", reason: Reason = Reason.TIMED_OUT, role: Role = Role.AGENT, **changes: Any) -> Part:
    """A part that errored after three attempts."""
    defaults: dict[str, Any] = {
        "status": PartStatus.ERRORED,
        "reason": reason,
        "detail": "No answer within 100 s.",
        "retryable": reason.is_retryable,
        "attempts": 3,
        "seconds": 300.0,
        "first_failed_at": at(100),
        "finished_at": at(300),
    }
    return a_part(key, role, **(defaults | changes))


def a_row(key: str = "7", row_id: str = "run-1", *, used: bool = True, **values: Scalar) -> FrozenRow:
    """A frozen run or review."""
    return FrozenRow(key=key, row=EvidenceRow(id=row_id, values=values), used=used)


def a_request(**fields: Any) -> ReportRequested:
    """A request with its evidence inline, from the fields as another service would send them."""
    runs = [{"run_id": f"run-{number}", "output": "It arrives on Monday."} for number in (1, 2)]
    data = {"agents": [{"agent_id": key, "name": f"Agent {key}", "runs": runs} for key in ("7", "8")]}
    if fields.get("kind") == Kind.REVIEWS:
        texts = {"de": "Gut.", "en": "Good.", "fr": "Bien."}
        data = {"reviews": [{"review_id": key, "language": key, "text": text} for key, text in texts.items()]}
    return ReportRequested.model_validate({"report_id": REPORT_ID, "kind": "agents", "data": data, **fields})


def a_task(key: str = "7", role: Role = Role.AGENT, **changes: Any) -> EvaluationTask:
    """The task of a piece with two rows of evidence; of an overview, with none."""
    rows = tuple(EvidenceRow(id=f"row-{number}", values={"text": f"Text {number}."}) for number in (1, 2))
    group = EvidenceGroup(key=key, name=f"Piece {key}", coverage=Coverage(total=2, used=2), rows=rows)
    criteria = {Role.AGENT: AGENT_CRITERIA, Role.OVERVIEW: TEAM_CRITERIA, Role.LANGUAGE: ()}
    defaults: dict[str, Any] = {
        "report_id": REPORT_ID,
        "part_id": part_id(REPORT_ID, role, key),
        "kind": Kind.REVIEWS if role is Role.LANGUAGE else Kind.AGENTS,
        "role": role,
        "key": key,
        "name": f"Piece {key}",
        "lane": Lane.SMALL,
        "criteria": criteria[role],
        "evidence": () if role is Role.OVERVIEW else (group,),
        "judge": JudgeOptions(model="gpt-4o-mini"),
        "prompt_version": "1",
        "deadline_at": at(900),
    }
    return EvaluationTask(**(defaults | changes))


async def streamed(rows: Iterable[FrozenRow]) -> AsyncIterator[FrozenRow]:
    """The rows as the store gives them, one after the other."""
    for row in rows:
        yield row


def _judged() -> dict[str, Any]:
    return {
        "status": PartStatus.COMPLETED,
        "attempts": 1,
        "seconds": 12.5,
        "usage": Usage(model="gpt-4o-mini", input_tokens=9_000, output_tokens=600, cost_usd=0.0017),
        "judge": Judge(model="gpt-4o-mini-2024-07-18", prompt_version="3"),
        "finished_at": at(60),
    }
