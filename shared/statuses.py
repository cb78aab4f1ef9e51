"""What a report's state says to the world: its status document, its progress in per cent and words, its end."""

from shared.evaluations import Usage
from shared.messages import Counts, OverviewStatus, ReportStatus, Saved, Workbook
from shared.state import Generation, Report
from shared.vocabulary import Kind, PartStatus, Status

PIECES_SHARE, OVERVIEW_SHARE = 60.0, 30.0  # of 100; rendering has the rest
_NOUN = {Kind.AGENTS: "agents", Kind.REVIEWS: "languages"}


def open_pieces(report: Report) -> int:
    """How many pieces have no outcome yet."""
    return report.pieces - report.completed - report.errored - report.cancelled


def final_status(report: Report) -> Status:
    """How a report whose outcomes are all there ends: failures are never hidden in a plain `completed`."""
    if report.ends_as is not None:
        return report.ends_as
    if report.completed == 0:
        return Status.FAILED
    if report.errored or report.cancelled or report.overview is not PartStatus.COMPLETED:
        return Status.COMPLETED_WITH_ERRORS
    return Status.COMPLETED


def headline_score(report: Report | Generation) -> float | None:
    """The mean of the scored agents, 0 to 10."""
    return round(report.score_sum_micro / 1e6 / report.scored, 4) if report.scored else None


def status_of(report: Report) -> ReportStatus:
    """The status document; the gateway adds the workbook's address."""
    return ReportStatus(
        report_id=report.report_id,
        version=report.version,
        generation=report.generation,
        kind=report.kind,
        title=report.title,
        owner=report.owner,
        metadata=report.metadata,
        status=report.status,
        progress=_progress(report),
        current_step=_step(report),
        counts=_counts(report),
        overview=OverviewStatus(status=report.overview, reason=report.overview_reason) if report.overview else None,
        score=headline_score(report),
        usage=_usage(report),
        saved=_saved(report) if report.recalled else None,
        accepted_at=report.accepted_at,
        planned_at=report.planned_at,
        evaluated_at=report.evaluated_at,
        completed_at=report.completed_at,
        seconds=(report.completed_at - report.accepted_at).total_seconds() if report.completed_at else None,
        deadline_at=report.deadline_at,
        reason=report.reason,
        workbook=Workbook(sha256=report.workbook.sha256, bytes=report.workbook.bytes) if report.workbook else None,
    )


def _progress(report: Report) -> float:
    """Grows with what has arrived and nothing else, so it cannot fall within a generation."""
    if report.status.is_final:
        return 100.0
    if report.pieces == 0:
        return 0.0
    done = (report.pieces - open_pieces(report)) / report.pieces
    overview = 0.0 if report.overview is None or report.overview.is_open else OVERVIEW_SHARE
    return round(PIECES_SHARE * done + overview, 2)


def _step(report: Report) -> str:
    noun = _NOUN[report.kind]
    done = report.pieces - open_pieces(report)
    if report.status is Status.EVALUATING:
        waiting = f", {report.delayed} waiting to try again" if report.delayed else ""
        overview = ", judging the overview" if done == report.pieces else ""
        stopping = ", beginning no more: its limit is reached" if report.exhausted else ""
        return f"Evaluated {done}/{report.pieces} {noun}{waiting}{overview}{stopping}"
    if report.status is Status.COMPLETED:
        return f"Completed: {report.completed} {noun}"
    if report.status is Status.COMPLETED_WITH_ERRORS:
        failed = report.errored + report.cancelled
        what = f"{failed} of {report.pieces} {noun} failed" if failed else "the overview failed"
        return f"Completed with errors: {what}"
    words = {Status.ACCEPTED: "Planning", Status.RENDERING: "Building the workbook"}
    return words.get(report.status, report.status.capitalize())


def _counts(report: Report) -> Counts:
    judged = report.kind is Kind.AGENTS
    return Counts(
        total=report.pieces,
        completed=report.completed,
        passed=report.passed if judged else None,
        not_passed=report.not_passed if judged else None,
        errored=report.errored,
        cancelled=report.cancelled,
        delayed=report.delayed,
        pending=open_pieces(report) - report.delayed,
    )


def _usage(report: Report) -> Usage:
    """Unpriced usage makes the whole sum unknown: part of a cost is not the cost."""
    return Usage(
        input_tokens=report.input_tokens,
        output_tokens=report.output_tokens,
        cached_tokens=report.cached_tokens,
        reasoning_tokens=report.reasoning_tokens,
        cost_usd=None if report.unpriced else report.cost_nano / 1e9,
    )


def _saved(report: Report) -> Saved:
    usage = Usage(
        input_tokens=report.saved_input_tokens,
        output_tokens=report.saved_output_tokens,
        cost_usd=None if report.saved_unpriced else report.saved_cost_nano / 1e9,
    )
    return Saved(parts=report.recalled, usage=usage)
