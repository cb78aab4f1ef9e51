"""Decides what of a report another one is compared with: its numbers and its rules, without its words."""

from collections.abc import Sequence

from services.orchestrator.pieces import RejectedError
from shared.evaluations import AgentEvaluation, CriterionScore, Evaluation, LanguageEvaluation, Part, Usage
from shared.messages import ReportRequested
from shared.state import Baseline, Plan, Report
from shared.vocabulary import Status

HAS_RESULTS = frozenset({Status.COMPLETED, Status.COMPLETED_WITH_ERRORS})


def named_baseline(request: ReportRequested, plan: Plan | None, report: Report | None) -> Baseline:
    """The report that the request names. Raises RejectedError where it cannot be a baseline.

    Somebody else's report is as unknown as one that is not there.
    """
    name = request.options.baseline
    if plan is None or report is None or report.owner != request.owner:
        raise RejectedError(f"options: there is no report {name!r} to be the baseline")
    if report.kind is not request.kind:
        raise RejectedError(f"options: the baseline {name!r} is about {report.kind}, not {request.kind}")
    if not report.status.is_final:
        raise RejectedError(f"options: the baseline {name!r} has not ended: it is {report.status}")
    if report.status not in HAS_RESULTS:
        raise RejectedError(f"options: the baseline {name!r} has no results to compare with: it is {report.status}")
    return baseline_of(plan, report)


def baseline_of(plan: Plan, report: Report) -> Baseline:
    """The report as a baseline."""
    return Baseline(
        report_id=plan.report_id,
        generation=report.generation,
        title=plan.title,
        subject=plan.subject,
        period=plan.period,
        judge_model=plan.options.judge_model,
        prompt_version=plan.prompt_version,
        runs_per_agent=plan.runs_per_agent,
        run_model=plan.run_model,
        goal=plan.criteria.goal,
    )


def without_words(part: Part) -> Part:
    """The part as it is compared: outcome, scores, facts and rules."""
    kept = {"evaluation": _numbers(part.evaluation), "description": None, "detail": "", "usage": Usage(), "saved": None}
    return part.model_copy(update=kept)


def _numbers(evaluation: Evaluation | None) -> Evaluation | None:
    match evaluation:
        case AgentEvaluation():
            return AgentEvaluation(criteria=_scores(evaluation.criteria), reasoning="")
        case LanguageEvaluation():
            return LanguageEvaluation(sentiment=evaluation.sentiment, summary="", positive_ids=evaluation.positive_ids)
        case _:
            return None


def _scores(criteria: Sequence[CriterionScore]) -> tuple[CriterionScore, ...]:
    return tuple(CriterionScore(name=scored.name, score=scored.score) for scored in criteria)
