"""Which lane's task may call the judge next: the small lane first, but never so that the bulk lane stands still."""

from shared.vocabulary import Lane

SMALL_SHARE = 0.8  # of the slots, while the bulk lane waits
SMALL_IN_A_ROW = 4  # where there is one slot only: the same share of its turns


class Lanes:
    """Counts who calls and who waits, for one pool of slots. Decides; does not wait."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting = {Lane.SMALL: 0, Lane.BULK: 0}
        self.calling = {Lane.SMALL: 0, Lane.BULK: 0}
        self._small_in_a_row = 0  # calls begun while the bulk lane waited

    @property
    def in_flight(self) -> int:
        """Calls right now."""
        return sum(self.calling.values())

    def next(self) -> Lane | None:
        """The lane whose oldest waiting task goes now; None if nobody waits or no slot is free."""
        if self.in_flight >= self.limit:
            return None
        if self.waiting[Lane.SMALL] and not (self.waiting[Lane.BULK] and self._small_has_its_share):
            return Lane.SMALL
        return Lane.BULK if self.waiting[Lane.BULK] else None

    def begin(self, lane: Lane) -> None:
        """A waiting task of this lane begins its call."""
        self.waiting[lane] -= 1
        self.calling[lane] += 1
        passed_over = lane is Lane.SMALL and self.waiting[Lane.BULK] > 0
        self._small_in_a_row = self._small_in_a_row + 1 if passed_over else 0

    @property
    def _small_has_its_share(self) -> bool:
        if self.limit == 1:
            return self._small_in_a_row >= SMALL_IN_A_ROW
        return self.calling[Lane.SMALL] >= int(self.limit * SMALL_SHARE)
