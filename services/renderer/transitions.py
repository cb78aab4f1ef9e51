"""What an event makes of one part, and the ways in which an evaluation ends before its last outcome."""

from datetime import datetime
from typing import NamedTuple

from shared.evaluations import Part
from shared.messages import PartDelayed, PartEvaluated, PartFailed, ReportAccepted
from shared.state import Report, Sweep
from shared.vocabulary import PartStatus, Reason, Status


class End(NamedTuple):
    """One way in which an evaluation ends before its last outcome."""

    part_status: PartStatus
    reason: Reason
    text: str
    ends_as: Status | None
    unplanned: Status

    def sweep(self, at: datetime) -> Sweep:
        """What becomes of the parts that are still open."""
        return Sweep(self.part_status, self.reason, self.text, self.reason.is_retryable, at)

    def close(self, part: Part, at: datetime) -> Part:
        """The same for one part."""
        return part.model_copy(
            update={
                "status": self.part_status,
                "reason": self.reason,
                "detail": self.text,
                "retryable": self.reason.is_retryable,
                "finished_at": at,
                "retry_at": None,
            }
        )


DEADLINE = End(PartStatus.ERRORED, Reason.DEADLINE_PASSED, "the report's deadline passed", None, Status.FAILED)
CANCEL = End(PartStatus.CANCELLED, Reason.CANCELLED, "the report was cancelled", Status.CANCELLED, Status.CANCELLED)
FAIL_FAST = End(
    PartStatus.CANCELLED, Reason.CANCELLED, "ended by the first failed part (fail_fast)", Status.FAILED, Status.FAILED
)


def limit_reached(report: Report) -> str:
    """Which limit its usage has reached, in words; empty while none is.

    A cost that is not known cannot be kept below a limit, so usage without a price ends what may be spent.
    """
    if report.token_limit is not None and report.input_tokens + report.output_tokens >= report.token_limit:
        return f"the token limit of {report.token_limit:,} was reached"
    if report.cost_limit_usd is None:
        return ""
    if report.cost_nano >= round(report.cost_limit_usd * 1e9):
        return f"the cost limit of {report.cost_limit_usd:g} USD was reached"
    return "the judge answered as a model without a price, so its cost limit cannot be kept" if report.unpriced else ""


def accepted(event: ReportAccepted) -> Report:
    """The report as its acceptance makes it."""
    return Report(
        report_id=event.report_id,
        kind=event.kind,
        title=event.title,
        owner=event.owner,
        metadata=event.metadata,
        content_sha256=event.content_sha256,
        accepted_at=event.accepted_at,
        deadline_at=event.deadline_at,
    )


def reopened(part: Part, generation: int) -> Part:
    """The part to be judged again; its error stays until there is a new result."""
    return part.model_copy(update={"status": PartStatus.PENDING, "generation": generation, "retry_at": None})


def evaluated(part: Part, event: PartEvaluated) -> Part:
    """The part with its evaluation."""
    return part.model_copy(
        update={
            "status": PartStatus.COMPLETED,
            "evaluation": event.evaluation,
            "score": event.score,
            "passed": event.passed,
            "usage": event.usage,
            "trials": event.trials,
            "saved": event.saved,
            "attempts": event.attempts,
            "seconds": event.seconds,
            "judge": event.judge,
            "finished_at": event.finished_at,
            "reason": None,
            "detail": "",
            "retryable": False,
            "retry_at": None,
        }
    )


def failed(part: Part, event: PartFailed) -> Part:
    """The part with its failure."""
    return part.model_copy(
        update={
            "status": PartStatus.ERRORED,
            "reason": event.reason,
            "detail": event.detail,
            "retryable": event.retryable,
            "usage": event.usage,
            "trials": None,
            "saved": None,
            "attempts": event.attempts,
            "seconds": event.seconds,
            "first_failed_at": event.first_failed_at,
            "finished_at": event.finished_at,
            "retry_at": None,
        }
    )


def without_data(overview: Part, at: datetime) -> Part:
    """An overview over nothing: a failure that costs nothing."""
    text = "no part could be judged, so there is nothing to sum up"
    return overview.model_copy(
        update={"status": PartStatus.ERRORED, "reason": Reason.NO_DATA, "detail": text, "finished_at": at}
    )


def delayed(part: Part, event: PartDelayed) -> Part:
    """The part waiting for its next attempt, and why."""
    return part.model_copy(
        update={
            "status": PartStatus.DELAYED,
            "reason": event.reason,
            "retry_at": event.retry_at,
            "attempts": event.attempts,
        }
    )
