"""What a fold step is counted as: outcomes, parts that were closed without one, and whether the report was in time."""

from collections.abc import Iterator
from typing import NamedTuple

from services.renderer.report import Folded
from shared.state import Report
from shared.statuses import open_pieces
from shared.vocabulary import PIECE_ROLE, PartStatus, Reason, Role, Status

_ENDED_BY_SOMEBODY = frozenset({Status.CANCELLED, Status.REJECTED})


class Decided(NamedTuple):
    """So many parts came to the same."""

    role: Role
    status: PartStatus
    reason: Reason | None
    parts: int


def decided(before: Report | None, folded: Folded) -> Iterator[Decided]:
    """Every part that was decided in this step, also those that were swept up with the end of the evaluation."""
    for part in folded.counted:
        yield Decided(part.role, part.status, part.reason, 1)
    change = folded.change
    if change is None or change.sweep is None or before is None:
        return
    sweep, pieces = change.sweep, PIECE_ROLE[change.report.kind]
    judged = sum(part.role is pieces for part in folded.counted)
    yield Decided(pieces, sweep.status, sweep.reason, open_pieces(before) - judged)
    of_overview = any(part.role is Role.OVERVIEW for part in folded.counted)
    if before.overview is not None and before.overview.is_open and not of_overview:
        yield Decided(Role.OVERVIEW, sweep.status, sweep.reason, 1)


def in_time(report: Report) -> bool | None:
    """Whether an ended report had its workbook before its deadline; None where somebody ended it, or refused it."""
    if report.status in _ENDED_BY_SOMEBODY or report.completed_at is None:
        return None
    return report.workbook is not None and report.completed_at <= report.deadline_at
