"""Intervals and the test, against published figures and against counting every case."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.renderer.significance import LEAST_OF, Of, Sample, difference, mean_difference, signed_rank, wilson


@pytest.mark.parametrize(
    ("new", "old", "low", "high"),
    [
        # Newcombe 1998, table II, method 10
        (Of(56, 70), Of(48, 80), 0.0524, 0.3339),
        (Of(9, 10), Of(3, 10), 0.1705, 0.8090),
        (Of(5, 56), Of(0, 29), -0.0381, 0.1926),
        (Of(10, 10), Of(0, 20), 0.6791, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(new: Of, old: Of, low: float, high: float) -> None:
    found = difference(new, old)
    assert found is not None
    assert found == pytest.approx((low, high), abs=5e-5)
    assert found.is_beyond_chance is (low > 0)


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Newcombe 1998 (Stat. Med. 17, 857-872), table I, method 3
    assert wilson(Of(81, 263)) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(Of(0, 20)) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.integers(LEAST_OF, 500), st.integers(LEAST_OF, 500), st.data())
def test_the_interval_holds_the_difference_and_turns_with_the_sides(n: int, m: int, data: st.DataObject) -> None:
    new, old = Of(data.draw(st.integers(0, n)), n), Of(data.draw(st.integers(0, m)), m)
    found, turned = difference(new, old), difference(old, new)
    assert found is not None
    assert turned is not None
    assert -1 - 1e-9 <= found.low <= new.counted / n - old.counted / m <= found.high <= 1 + 1e-9
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))


def test_few_cases_are_not_enough() -> None:
    assert difference(Of(9, 9), Of(0, 500)) is None
    assert signed_rank([1, 2, 3, 4, 5]) is None
    assert signed_rank([1, 2, 3, 4, 5, 0, 0]) is None  # what did not move says nothing
    assert signed_rank([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)


def test_the_test_is_wilcoxons() -> None:
    # Hollander & Wolfe, Nonparametric Statistical Methods, the depression scores: V = 40, one-sided p = 0.0195
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    assert signed_rank([y - x for x, y in zip(before, after, strict=True)]) == pytest.approx(2 * 0.01953, abs=2e-5)


@given(st.lists(st.integers(-4, 4).filter(bool), min_size=6, max_size=10))
def test_equal_differences_share_their_ranks_and_every_case_is_counted(changes: list[int]) -> None:
    sizes = sorted(map(abs, changes))
    ranks = [sizes.index(abs(change)) + len(sizes) - sizes[::-1].index(abs(change)) + 1 for change in changes]
    gained = sum(rank for rank, change in zip(ranks, changes, strict=True) if change > 0)
    extreme = min(gained, sum(ranks) - gained)
    sums = [
        sum(rank for rank, taken in zip(ranks, signs, strict=True) if taken)
        for signs in product((0, 1), repeat=len(ranks))
    ]
    assert signed_rank(changes) == pytest.approx(min(1, 2 * sum(total <= extreme for total in sums) / len(sums)))


def test_many_pairs_are_told_by_the_normal_approximation() -> None:
    changes = [place if place % 3 else -place for place in range(1, 51)]
    exact, near = signed_rank(changes), signed_rank([*changes, 51])
    assert exact is not None
    assert near is not None
    assert near == pytest.approx(exact, abs=0.02)
    assert signed_rank([1, -1] * 100) == pytest.approx(1, abs=0.05)
    assert signed_rank([float(place) for place in range(1, 5_001)]) == pytest.approx(0, abs=1e-9)


def test_the_interval_of_a_mean_is_welchs() -> None:
    # by hand: 0.5 ± t(8) * sqrt(0.2**2 / 5 + 0.2**2 / 5), t = 2.306
    assert mean_difference(Sample(5, 7.5, 0.2), Sample(5, 7.0, 0.2)) == pytest.approx((0.2083, 0.7917), abs=5e-5)
    # unequal spread: 3.05 degrees, taken as 3, t = 3.182
    assert mean_difference(Sample(3, 8.0, 1.0), Sample(10, 7.0, 0.9)) == pytest.approx((-1.0482, 3.0482), abs=5e-5)


def test_judgements_that_all_agree_leave_nothing_to_chance_and_two_are_not_enough() -> None:
    assert mean_difference(Sample(3, 8, 0), Sample(3, 7, 0)) == (1, 1)
    assert mean_difference(Sample(2, 8, 0.1), Sample(10, 7, 0.1)) is None
