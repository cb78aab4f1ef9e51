"""What runs or results add up to without understanding them: how many ended well, and which look like trouble."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from shared.evaluations import EvidenceRow, PartResult

_ENDED_WELL = frozenset(
    {"success", "succeeded", "completed", "complete", "ok", "passed", "done", "resolved", "finished"}
)
_SPEAKS_OF_TROUBLE = re.compile(
    r"\b(?:error|exception|traceback|fail(?:ed|ure)?|unable|cannot|can't|couldn't|sorry|timed? ?out|not found"
    r"|exitcode: [1-9]|no code)\b",
    re.IGNORECASE,
)
_SLOW_SECONDS = 60.0
_READ_CHARACTERS = 8_000  # of an output: enough for a sign, and bounded
_PASSING = 7.0


class TrackRecord(NamedTuple):
    """`doubtful` are the numbers of those that look like trouble."""

    total: int
    doubtful: tuple[int, ...]
    slow: int = 0

    @property
    def clean(self) -> int:
        """How many show no sign of trouble."""
        return self.total - len(self.doubtful)

    @property
    def in_words(self) -> str:
        """One sentence, or two."""
        slow = f" {self.slow} took over {_SLOW_SECONDS:.0f} seconds." if self.slow else ""
        return f"{self.clean} of {self.total} show no sign of trouble.{slow}" if self.total else "Nothing to go by."


def of_rows(rows: Sequence[EvidenceRow]) -> TrackRecord:
    """The record of runs; those without an output and without a status say nothing."""
    telling = [row for row in rows if row.values.get("output") or row.values.get("status")]
    return TrackRecord(
        total=len(telling),
        doubtful=tuple(int(row.id) for row in telling if _is_doubtful(row)),
        slow=sum(_seconds(row) > _SLOW_SECONDS for row in telling),
    )


def of_results(results: Sequence[PartResult]) -> TrackRecord:
    """The record of judged pieces, numbered from 1; those without a score say nothing."""
    scored = [(number, result.score) for number, result in enumerate(results, 1) if result.score is not None]
    return TrackRecord(len(scored), tuple(number for number, score in scored if score < _PASSING))


def _is_doubtful(row: EvidenceRow) -> bool:
    status = row.values.get("status")
    if isinstance(status, str) and status:
        return status.lower() not in _ENDED_WELL
    return bool(_SPEAKS_OF_TROUBLE.search(str(row.values["output"])[:_READ_CHARACTERS]))


def _seconds(row: EvidenceRow) -> float:
    seconds = row.values.get("duration_seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0
