"""How much may be asked of a judge per minute, where an operator says so: a bucket that fills evenly.

What is taken may exceed what is there: the bucket is then in debt, and nothing more begins until it is out of it. So a
call larger than the bucket is possible, and the average holds.
"""

from typing import NamedTuple

BURST_SECONDS = 6.0  # of the rate are in a full bucket: what nobody took for longer is lost
SECONDS_PER_MINUTE = 60.0


class Bucket:
    """So many per minute; full at the start. `now` is in seconds that only go forward."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._per_second = per_minute / SECONDS_PER_MINUTE
        self._most = max(1.0, self._per_second * BURST_SECONDS)
        self._left = self._most
        self._at = now

    def opens_at(self, now: float) -> float:
        """When something may be taken: `now`, or later."""
        left = self._filled(now)
        return now if left >= min(1.0, self._most) else now + (min(1.0, self._most) - left) / self._per_second

    def take(self, amount: float, now: float) -> None:
        """Use so much; less than nothing gives it back."""
        self._left = min(self._most, self._filled(now) - amount)
        self._at = now

    def _filled(self, now: float) -> float:
        return min(self._most, self._left + (now - self._at) * self._per_second)


class Rates(NamedTuple):
    """The buckets of one judge; None where the operator sets no rate."""

    requests: Bucket | None
    tokens: Bucket | None

    def opens_at(self, now: float) -> float:
        """When a call may begin: `now`, or later."""
        return max((bucket.opens_at(now) for bucket in self if bucket is not None), default=now)

    def take(self, requests: int, tokens: int, now: float) -> None:
        """Use so much; less than nothing gives it back."""
        if self.requests is not None:
            self.requests.take(requests, now)
        if self.tokens is not None:
            self.tokens.take(tokens, now)
