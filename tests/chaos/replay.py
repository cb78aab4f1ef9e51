"""Folds a report's published events once more, alone and in order: what is stored must be just that."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.renderer.report import fold, touched
from shared.evaluations import Part, Usage
from shared.messages import Event
from shared.state import Change, Report
from shared.vocabulary import PartStatus, Role

_AS_PLANNED = {
    "status": PartStatus.PENDING,
    "generation": 1,
    "score": None,
    "passed": None,
    "evaluation": None,
    "reason": None,
    "detail": "",
    "retryable": False,
    "attempts": 0,
    "seconds": 0.0,
    "usage": Usage(),
    "judge": None,
    "first_failed_at": None,
    "finished_at": None,
    "retry_at": None,
}
_OPEN = {PartStatus.PENDING, PartStatus.DELAYED}
_FAILED = {PartStatus.ERRORED, PartStatus.CANCELLED}


class Replayed(NamedTuple):
    """A report and its parts as its events make them."""

    report: Report | None
    parts: Mapping[str, Part]


def replayed(report_id: str, stored: Sequence[Part], events: Sequence[Event]) -> Replayed:
    """From the parts as they were planned, event by event."""
    report: Report | None = None
    parts = {part.part_id: part.model_copy(update=_AS_PLANNED) for part in stored}
    for event in events:
        read = {name: parts[name] for name in touched(report_id, [event]) if name in parts}
        change = fold(report, read, [event]).change
        if change is not None:
            report = change.report
            parts = _written(parts, change)
    return Replayed(report, parts)


def _written(parts: Mapping[str, Part], change: Change) -> dict[str, Part]:
    """What the store makes of a change."""
    found = dict(parts)
    if change.reopen is not None:
        again = {"status": PartStatus.PENDING, "generation": change.reopen}
        for part in parts.values():
            if part.role is not Role.OVERVIEW and part.status in _FAILED:
                found[part.part_id] = part.model_copy(update=again)
    found |= {part.part_id: part for part in change.parts}
    if change.sweep is not None:
        sweep = change.sweep
        swept = {
            "status": sweep.status,
            "reason": sweep.reason,
            "detail": sweep.detail,
            "retryable": sweep.retryable,
            "finished_at": sweep.at,
            "retry_at": None,
        }
        found = {name: part.model_copy(update=swept) if part.status in _OPEN else part for name, part in found.items()}
    return found
