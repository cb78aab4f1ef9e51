"""Decides whether a program that ended is started again, and how soon."""

from collections import deque
from typing import NamedTuple


class RestartPolicy(NamedTuple):
    """At most `most` restarts `within_seconds`; the pause before each doubles from the first to the longest."""

    most: int = 5
    within_seconds: float = 30.0
    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 2.0


class Restarts:
    """The recent ends of one program. Times are seconds of any clock that does not go back."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._ends: deque[float] = deque()

    def pause_after_end(self, now: float) -> float | None:
        """Seconds to wait before the next start; None where it has ended too often."""
        while self._ends and self._ends[0] <= now - self._policy.within_seconds:
            self._ends.popleft()
        self._ends.append(now)
        if len(self._ends) > self._policy.most:
            return None
        pause = self._policy.first_pause_seconds * 2 ** (len(self._ends) - 1)
        return float(min(pause, self._policy.longest_pause_seconds))
