"""How many calls one judge takes at once: found out from what it refuses, and from nothing else.

Rule 1: a refusal (429) closes the door at once: no more in flight than there are, until one of them is answered, which
lets one more in, or until the judge's own waiting time has passed.
Rule 2: where about half of the calls are refused, the limit falls by a quarter. Where fewer are, one call fewer is
tried; if that does not spare half of the refusals it is taken back, as a judge that refuses some calls at any number
does so for another reason, and fewer at once would only be slower.
Rule 3: the limit grows by one when a call at the limit is answered and nothing was refused or broken for a while. The
first refusal at a new height takes the step back, and the next one is tried after twice as long.
Rule 4: errors and time-outs of the judge hold growth, and so does little left of its own limits; where it says that
nothing is left and until when, nothing begins before.
"""

from enum import StrEnum
from typing import NamedTuple

from services.evaluator.calls import Headroom

CROWDED = 10.0  # refusals, less about half of the answers: when more than a third are refused, it comes to that
RELIEF = 0.54  # per answer; CROWDED and RELIEF are a sequential test of "half are refused" against "a fifth is"
SHRINK = 0.75
SOME = 0.05  # share of refusals that one call fewer might spare
ENOUGH = 4  # calls for each one at once, to know such a share
FEWEST = 8
SHORTEST_TRIAL_SECONDS, LONGEST_TRIAL_SECONDS = 10.0, 320.0  # between two trials of one fewer
SHORTEST_STEP_SECONDS, LONGEST_STEP_SECONDS = 5.0, 60.0  # between two steps up
HOLD_SECONDS = 10.0  # of growth, after an error, a time-out, or little left
DOOR_SECONDS = 1.0  # where the judge does not say how long
LONGEST_DOOR_SECONDS = 30.0  # a longer wait is asked for again, as others may have given up meanwhile
SHORTEST_DOOR_SECONDS = 0.05


class Cause(StrEnum):
    """Why the limit changed."""

    CROWDED = "crowded"  # about half of the calls are refused
    REFUSALS = "refusals"  # some calls are refused: would one fewer at once spare them?
    NO_RELIEF = "no_relief"  # it would not
    STEP_REFUSED = "step_refused"  # the step up was too much
    SUCCESS = "success"


class Change(NamedTuple):
    """A new limit."""

    before: int
    after: int
    cause: Cause


class Ending(StrEnum):
    """How a call ended, as far as the pace is concerned."""

    ANSWERED = "answered"
    REFUSED = "refused"
    BROKEN = "broken"  # an error of the server, or no answer in time
    UNCALLED = "uncalled"  # it never began, or says nothing about the pace


class Call(NamedTuple):
    """A call in flight: the how many-eth at once it was when it began, and after how many changes of the limit."""

    height: int
    era: int


class Limit:
    """The limit of one judge, between 1 and `most`, in one process. `now` is in seconds that only go forward."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = most
        self.in_flight = 0
        self._window = most  # how many may be in flight while the door is closed
        self._door_opens = 0.0
        self._silent_until = 0.0
        self._era = 0
        self._answers = 0  # in this era, as the next two
        self._refusals = 0
        self._crowding = 0.0
        self._is_trying = False  # whether no call at this height has been answered yet
        self._share_before: float | None = None  # of refusals, while one fewer is on trial
        self._trial_seconds = SHORTEST_TRIAL_SECONDS
        self._trial_at = 0.0
        self._step_seconds = SHORTEST_STEP_SECONDS
        self._grow_at = 0.0

    def allowed(self, now: float) -> int:
        """How many may be in flight now."""
        if now < self._silent_until:
            return 0
        return min(self.limit, self._window) if now < self._door_opens else self.limit

    def opens_at(self, now: float) -> float | None:
        """When more may be allowed though nothing happens; None if only an answer can help."""
        return min((at for at in (self._silent_until, self._door_opens) if at > now), default=None)

    def begin(self) -> Call:
        """One more call."""
        self.in_flight += 1
        return Call(self.in_flight, self._era)

    def end(self, call: Call, ending: Ending, now: float, after: float | None = None) -> Change | None:
        """A call has ended; `after` is the judge's word on how long to wait. Returns what it did to the limit."""
        self.in_flight -= 1
        match ending:
            case Ending.ANSWERED:
                return self._answered(call, now)
            case Ending.REFUSED:
                return self._refused(call, now, DOOR_SECONDS if after is None else after)
            case Ending.BROKEN:
                self._hold(now)
            case Ending.UNCALLED:
                pass
        return None

    def heed(self, headroom: Headroom, now: float) -> None:
        """What the judge says is left of its own limits."""
        if headroom.requests is not None and headroom.requests < self.limit:
            self._hold(now)
        if headroom.resets_in is not None:
            self._silent_until = max(self._silent_until, now + min(headroom.resets_in, LONGEST_DOOR_SECONDS))

    def _answered(self, call: Call, now: float) -> Change | None:
        self._window = min(self.limit, self._window + 1)
        if call.era != self._era:
            return None
        self._answers += 1
        self._crowding = max(0.0, self._crowding - RELIEF)
        if call.height >= self.limit and self._is_trying:
            self._is_trying = False
            self._step_seconds = max(SHORTEST_STEP_SECONDS, self._step_seconds / 2)
        if self.limit < self.most and call.height >= self.limit and now >= self._grow_at:
            return self._change(self.limit + 1, now, Cause.SUCCESS)
        return self._one_fewer(now)

    def _refused(self, call: Call, now: float, after: float) -> Change | None:
        self._window = self.in_flight
        self._door_opens = now + min(max(after, SHORTEST_DOOR_SECONDS), LONGEST_DOOR_SECONDS)
        self._grow_at = max(self._grow_at, now + self._step_seconds)
        if call.era != self._era:
            return None
        self._refusals += 1
        self._crowding += 1
        if self._is_trying and call.height >= self.limit:
            self._step_seconds = min(LONGEST_STEP_SECONDS, self._step_seconds * 2)
            return self._change(self.limit - 1, now, Cause.STEP_REFUSED)
        if self._crowding >= CROWDED and self.limit > 1:
            return self._change(int(self.limit * SHRINK), now, Cause.CROWDED)
        return self._one_fewer(now)

    def _one_fewer(self, now: float) -> Change | None:
        """Where some calls are refused, try one fewer at once; where that spares not half of them, take it back."""
        calls = self._answers + self._refusals
        if calls < max(FEWEST, ENOUGH * self.limit):
            return None
        share, before = self._refusals / calls, self._share_before
        if before is not None:
            self._share_before = None
            helped = share <= before / 2
            self._trial_seconds = (
                SHORTEST_TRIAL_SECONDS if helped else min(self._trial_seconds * 2, LONGEST_TRIAL_SECONDS)
            )
            self._trial_at = now + self._trial_seconds
            return None if helped else self._change(self.limit + 1, now, Cause.NO_RELIEF)
        if share <= SOME or self.limit == 1 or now < self._trial_at:
            return None
        self._step_seconds = min(LONGEST_STEP_SECONDS, self._step_seconds * 2)
        change = self._change(self.limit - 1, now, Cause.REFUSALS)
        self._share_before = share
        return change

    def _change(self, limit: int, now: float, cause: Cause) -> Change:
        before, self.limit = self.limit, max(1, limit)
        self._era += 1
        self._answers = self._refusals = 0
        self._crowding = 0.0
        self._is_trying = cause is Cause.SUCCESS
        self._share_before = None
        self._window = min(self._window, self.limit)
        self._grow_at = max(self._grow_at, now + self._step_seconds)
        return Change(before, self.limit, cause)

    def _hold(self, now: float) -> None:
        self._grow_at = max(self._grow_at, now + HOLD_SECONDS)


class FixedLimit(Limit):
    """A limit that nothing changes."""

    def allowed(self, now: float) -> int:
        """How many may be in flight."""
        del now
        return self.limit

    def end(self, call: Call, ending: Ending, now: float, after: float | None = None) -> Change | None:
        """A call has ended."""
        del call, ending, now, after
        self.in_flight -= 1
        return None
