"""Which lane's task may call the judge next: the small lane first, but never so that the bulk lane stands still."""

from shared.vocabulary import Lane

SMALL_SHARE = 0.8  # of the slots, while the bulk lane waits


class Lanes:
    """Counts who calls and who waits, for one pool of slots. Decides; does not wait."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting = {Lane.SMALL: 0, Lane.BULK: 0}
        self.calling = {Lane.SMALL: 0, Lane.BULK: 0}

    @property
    def in_flight(self) -> int:
        """Calls right now."""
        return sum(self.calling.values())

    def next(self) -> Lane | None:
        """The lane whose oldest waiting task goes now; None if nobody waits or no slot is free."""
        if self.in_flight >= self.limit:
            return None
        small_has_its_share = self.calling[Lane.SMALL] >= max(1, int(self.limit * SMALL_SHARE))
        if self.waiting[Lane.SMALL] and not (self.waiting[Lane.BULK] and small_has_its_share):
            return Lane.SMALL
        return Lane.BULK if self.waiting[Lane.BULK] else None
