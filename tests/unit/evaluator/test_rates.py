"""What a rate per minute lets through."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.rates import BURST_SECONDS, Bucket, Rates


def taken_within(bucket: Bucket, seconds: float, amount: float = 1.0) -> int:
    """How often somebody who never waits longer than needed can take so much."""
    now, count = 0.0, 0
    while (now := bucket.opens_at(now)) < seconds:
        bucket.take(amount, now)
        count += 1
    return count


def test_the_rate_holds_over_minutes_after_a_short_burst() -> None:
    assert taken_within(Bucket(60, 0.0), 600.0) in range(600, 600 + int(BURST_SECONDS) + 2)


def test_a_call_larger_than_the_bucket_is_possible_and_paid_for_by_waiting() -> None:
    bucket = Bucket(600, 0.0)
    bucket.take(1_000, 0.0)
    assert bucket.opens_at(0.0) == (1_000 - 60 + 1) / 10


def test_a_rate_below_one_a_minute_of_burst_still_lets_one_through() -> None:
    bucket = Bucket(1, 0.0)
    assert bucket.opens_at(0.0) == 0.0
    bucket.take(1, 0.0)
    assert bucket.opens_at(0.0) == 60.0


def test_what_was_not_needed_is_given_back() -> None:
    bucket = Bucket(60, 0.0)
    bucket.take(6, 0.0)
    assert bucket.opens_at(0.0) > 0.0
    bucket.take(-6, 0.0)
    assert bucket.opens_at(0.0) == 0.0


def test_the_slower_of_two_rates_decides_and_none_lets_everything_through() -> None:
    rates = Rates(Bucket(60, 0.0), Bucket(6_000, 0.0))
    rates.take(1, 6_000, 0.0)
    assert rates.opens_at(0.0) == (6_000 - 600 + 1) / 100
    assert Rates(None, None).opens_at(3.0) == 3.0


@given(st.integers(1, 10_000), st.lists(st.floats(1, 500), max_size=50))
@settings(max_examples=50, deadline=None)
def test_never_more_is_taken_than_the_rate_the_burst_and_the_last_call(per_minute: int, amounts: list[float]) -> None:
    bucket, now, total = Bucket(per_minute, 0.0), 0.0, 0.0
    for amount in amounts:
        now = bucket.opens_at(now)
        bucket.take(amount, now)
        total += amount
        most = max(1.0, per_minute / 60 * BURST_SECONDS) + per_minute / 60 * now + amount
        assert total <= most * (1 + 1e-9)
