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
LEAST_TRIALS = 3  # judgements of one part: two may agree by chance
MOST_EXACT_PAIRS = 50  # above, the normal approximation is off by less than what is shown

# Student's t, 97.5 %, by degrees of freedom from 1 on; a part is judged ten times at most, so there are 18 at most.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262),
    *(2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101),
)
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


class Sample(NamedTuple):
    """Several judgements of the same: how many, their mean, and their sample standard deviation."""

    judged: int
    mean: float
    deviation: float


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


def mean_difference(new: Sample, old: Sample) -> Interval | None:
    """The interval of the difference of two means (Welch, Biometrika 34 (1947), 28-35), its degrees rounded down."""
    if min(new.judged, old.judged) < LEAST_TRIALS:
        return None
    change = new.mean - old.mean
    of_new, of_old = new.deviation**2 / new.judged, old.deviation**2 / old.judged
    if of_new + of_old == 0:
        return Interval(change, change)
    degrees = (of_new + of_old) ** 2 / (of_new**2 / (new.judged - 1) + of_old**2 / (old.judged - 1))
    reach = _T[min(int(degrees + 1e-9), len(_T)) - 1] * sqrt(of_new + of_old)
    return Interval(change - reach, change + reach)


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
