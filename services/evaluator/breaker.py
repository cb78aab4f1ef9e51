"""Whether it is of any use to ask a judge at all: not while it says that key, account or model are no good.

Closed: everybody asks. Two such answers in a row open it, as one alone may be about that one call; any call that the
judge takes closes it. Open: nobody asks, each part fails at once with the judge's reason. On trial, when its time has
come: one call at a time is made and the others wait for it; if it fails, the next trial is after twice as long.
"""

from typing import NamedTuple

from services.evaluator.calls import Failure, Reply
from shared.vocabulary import Reason

BREAKING = frozenset({Reason.AUTH_FAILED, Reason.QUOTA_EXHAUSTED, Reason.MODEL_UNAVAILABLE})
FREE_TO_PROBE = frozenset({Reason.AUTH_FAILED, Reason.MODEL_UNAVAILABLE})
_SAY_NOTHING = frozenset({Reason.RATE_LIMITED, Reason.TIMED_OUT, Reason.PROVIDER_ERROR})
IN_A_ROW = 2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 15.0, 240.0


class Open(NamedTuple):
    """Why nobody asks, since when, and when somebody does again."""

    failure: Failure
    since: float
    try_at: float
    pause: float = FIRST_PAUSE_SECONDS


class Breaker:
    """The breaker of one judge. `now` is in seconds that only go forward."""

    def __init__(self) -> None:
        self.open: Open | None = None
        self._in_a_row = 0

    def refusal(self, now: float) -> Failure | None:
        """What a part fails with that would be asked about now; None if it may be asked."""
        if self.open is None or now >= self.open.try_at:
            return None
        failure = self.open.failure
        return failure._replace(detail=f"not asked, as the judge had said before: {failure.detail}")

    def is_on_trial(self, now: float) -> bool:
        """Whether only one call at a time is to be made."""
        return self.open is not None and now >= self.open.try_at

    def heard(self, result: Reply | Failure, now: float) -> bool:
        """What a call came to; returns whether the breaker opened or closed by it."""
        if isinstance(result, Failure) and result.reason in _SAY_NOTHING:
            return False
        if isinstance(result, Reply) or result.reason not in BREAKING:
            return self.close()
        self._in_a_row += 1
        if self.open is not None:
            self._still_open(self.open, result, now)
            return False
        if self._in_a_row >= IN_A_ROW:
            self.open = Open(_plain(result), now, now + FIRST_PAUSE_SECONDS)
        return self.open is not None

    def _still_open(self, before: Open, failure: Failure, now: float) -> None:
        """Those that were in flight when it opened change nothing; a trial does."""
        if now >= before.try_at:
            pause = min(before.pause * 2, LONGEST_PAUSE_SECONDS)
            self.open = Open(_plain(failure), before.since, now + pause, pause)

    def close(self) -> bool:
        """Everybody may ask again; returns whether nobody could before."""
        was_open = self.open is not None
        self.open = None
        self._in_a_row = 0
        return was_open


def _plain(failure: Failure) -> Failure:
    """Without what was only about the call that failed."""
    return Failure(failure.reason, failure.detail, again=False)
