"""Decides what a difference may owe to chance: intervals and a test, and None where there is too little to say.

From the standard library alone: what is needed takes a few lines, SciPy would take 100 MB in every container.
"""

from collections.abc import Sequence
from math import erfc, sqrt
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95
LEAST_OF = 10  # below that an interval of a share says little more than that little is known
LEAST_PAIRS = 6  # with five pairs even five gains in a row come by chance more often than once in twenty
MOST_EXACT_PAIRS = 50  # above, the normal approximation is off by less than what is shown

_Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


class Interval(NamedTuple):
    """From low to high."""

    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        """No change at all lies outside of it."""
        return self.low > 0 or self.high < 0


class Of(NamedTuple):
    """So many of so many."""

    counted: int
    of: int


def wilson(share: Of) -> Interval:
    """The score interval of a share (Wilson, J. Am. Stat. Assoc. 22 (1927), 209-212), which stays within 0 and 1."""
    n, p = share.of, share.counted / share.of
    centre = p + _Z**2 / (2 * n)
    spread = _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return Interval(max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def difference(new: Of, old: Of) -> Interval | None:
    """The interval of the difference of two independent shares (Newcombe, Stat. Med. 17 (1998), 873-890, method 10)."""
    if min(new.of, old.of) < LEAST_OF:
        return None
    p, q = new.counted / new.of, old.counted / old.of
    of_new, of_old = wilson(new), wilson(old)
    below = sqrt((p - of_new.low) ** 2 + (of_old.high - q) ** 2)
    above = sqrt((of_new.high - p) ** 2 + (q - of_old.low) ** 2)
    return Interval(p - q - below, p - q + above)


def signed_rank(differences: Sequence[float]) -> float | None:
    """How often chance alone would give paired differences as one-sided as these, 0 to 1, in either direction.

    Wilcoxon's signed-rank test (Biometrics Bulletin 1 (1945), 80-83): pairs without a difference are left out, equal
    ones share their ranks; exact given these ranks, by the normal approximation for many pairs.
    """
    moved = [change for change in differences if change]
    if len(moved) < LEAST_PAIRS:
        return None
    ranks = _doubled_ranks([abs(change) for change in moved])
    gained = sum(rank for rank, change in zip(ranks, moved, strict=True) if change > 0)
    total = sum(ranks)
    if len(moved) > MOST_EXACT_PAIRS:
        distance = max(0.0, abs(gained - total / 2) - 1)  # a half for continuity, doubled as the ranks are
        return erfc(distance / sqrt(sum(rank**2 for rank in ranks) / 4) / sqrt(2))
    ways = _ways(ranks)
    extreme = min(gained, total - gained)
    return min(1.0, 2 * sum(ways[: extreme + 1]) / float(2 ** len(moved)))


def _doubled_ranks(sizes: Sequence[float]) -> list[int]:
    """Twice the rank of each size, as equal sizes share the mean of their ranks, which may be a half."""
    in_order = sorted(sizes)
    first = {size: place for place, size in reversed(list(enumerate(in_order)))}
    last = {size: place for place, size in enumerate(in_order)}
    return [first[size] + last[size] + 2 for size in sizes]


def _ways(ranks: Sequence[int]) -> list[int]:
    """In how many ways a set of these ranks adds up to each sum."""
    ways = [1] + [0] * sum(ranks)
    for rank in ranks:
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways
