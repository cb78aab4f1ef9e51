"""Says in a table what was done, what became of it, and what it cost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from tests.chaos.evidence import Evidence
from tests.chaos.malice import Wound
from tests.chaos.paid import Paid
from tests.chaos.plan import ROOMS, What

_TO_ROOMS = (What.KILL, What.TERM, What.FREEZE, What.JOIN)


def table(evidence: Evidence, wounds: Sequence[Wound], bill: Paid) -> Iterator[str]:
    """Line by line."""
    yield f"{'':12}" + "".join(f"{what:>10}" for what in _TO_ROOMS)
    count = Counter((wound.room, wound.what) for wound in wounds)
    for room in ROOMS:
        yield f"{room:12}" + "".join(f"{count[room, what]:>10}" for what in _TO_ROOMS)
    others = Counter(wound.what for wound in wounds if wound.what not in _TO_ROOMS)
    yield "others       " + ", ".join(f"{what} {number}" for what, number in sorted(others.items()))
    ended = Counter(report.status for report in evidence.reports.values())
    yield f"reports      {len(evidence.reports)}: " + ", ".join(f"{name} {n}" for name, n in ended.most_common())
    generations = sum(report.generation for report in evidence.reports.values())
    yield f"generations  {generations}"
    yield f"parts        {sum(map(len, evidence.parts.values()))}, outcomes {len(evidence.outcomes)}"
    events, statuses = (sum(map(len, found.values())) for found in (evidence.events, evidence.statuses))
    yield f"events       {events}, statuses {statuses}"
    yield f"workbooks    {len(evidence.books)}, dead letters {len(evidence.dead)}"
    yield f"calls        {bill.calls}, of which {bill.spoilt} the judge itself lost or spoilt"
    yield f"paid twice   {bill.twice}; {bill.in_flight} were in flight at kill -9, or stopped beyond their lease"
    yield f"slowest      report {_slowest(evidence):.1f} s; longest silence between outcomes {_silence(evidence):.1f} s"


def _slowest(evidence: Evidence) -> float:
    """Seconds of the report that took longest in its first generation."""
    reports = [report for report in evidence.reports.values() if report.generation == 1 and report.completed_at]
    return max(((r.completed_at - r.accepted_at).total_seconds() for r in reports if r.completed_at), default=0.0)


def _silence(evidence: Evidence) -> float:
    """Seconds in which no part was finished."""
    times: list[datetime] = sorted(
        part.finished_at for parts in evidence.parts.values() for part in parts if part.finished_at
    )
    return max(((b - a).total_seconds() for a, b in pairwise(times)), default=0.0)
