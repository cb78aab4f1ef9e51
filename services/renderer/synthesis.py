"""The task of an overview judged after the pieces: their computed results, cut to the task's budget and counted."""

from collections.abc import Sequence
from datetime import datetime

from shared.evaluations import AgentEvaluation, LanguageEvaluation, Part, PartResult
from shared.messages import EvaluationTask
from shared.vocabulary import PartStatus

LONGEST_TEXT = 1200  # characters of reasoning or summary per piece, where the budget allows
SHORTEST_TEXT = 80
LONGEST_NAME = 200
MOST_POINTS = 5
BYTES_PER_TOKEN = 2  # at least, of results: JSON of mostly English words


def results_budget(evidence_bytes: int, evidence_tokens: int) -> int:
    """Bytes of results that fit the judge's window too; a plan of an older release does not know its tokens."""
    return min(evidence_bytes, BYTES_PER_TOKEN * evidence_tokens) if evidence_tokens else evidence_bytes


def overview_task(
    template: EvaluationTask, pieces: Sequence[Part], *, generation: int, deadline_at: datetime, budget_bytes: int
) -> EvaluationTask:
    """The planned task with the results of the pieces, by key; the same results give the same task.

    Where the budget ends, what failed and what scored best is left out first.
    """
    ordered = sorted(pieces, key=_worst_first)
    room = max(SHORTEST_TEXT, min(LONGEST_TEXT, budget_bytes // (4 * max(len(ordered), 1))))
    results: list[PartResult] = []
    used = 0
    for part in ordered:
        result = _result(part, room)
        used += len(result.model_dump_json().encode()) + 1
        if used > budget_bytes:
            break
        results.append(result)
    return template.model_copy(
        update={
            "results": tuple(sorted(results, key=lambda result: result.key)),
            "results_total": len(ordered),
            "generation": generation,
            "deadline_at": deadline_at,
        }
    )


def _worst_first(part: Part) -> tuple[bool, float, str]:
    score = part.score if part.score is not None else 10.0
    return (part.status is not PartStatus.COMPLETED, score, part.key)


def _result(part: Part, room: int) -> PartResult:
    result = PartResult(
        key=part.key,
        name=part.name[:LONGEST_NAME],
        status=part.status,
        reason=part.reason,
        score=part.score,
        passed=part.passed,
        facts=part.facts,
    )
    match part.evaluation:
        case AgentEvaluation() as evaluation:
            criteria = tuple(
                score.model_copy(update={"reasoning": "", "evidence_ids": ()}) for score in evaluation.criteria
            )
            points = evaluation.weaknesses or evaluation.recommendations
            return result.model_copy(
                update={
                    "criteria": criteria,
                    "text": _cut(evaluation.reasoning, room),
                    "points": tuple(_cut(point, room // 2) for point in points[:MOST_POINTS]),
                }
            )
        case LanguageEvaluation() as evaluation:
            themes = (*evaluation.negative_themes, *evaluation.feature_requests, *evaluation.bug_reports)
            most = sorted(themes, key=lambda theme: -theme.mentions)[:MOST_POINTS]
            return result.model_copy(
                update={
                    "sentiment": evaluation.sentiment,
                    "text": _cut(evaluation.summary, room),
                    "points": tuple(_cut(f"{theme.text} ({theme.mentions})", room // 2) for theme in most),
                }
            )
        case _:
            return result


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
