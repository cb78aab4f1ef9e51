"""What a consumer says of itself when it is asked: how far behind it is, what it has in hand, what went wrong."""

from typing import NamedTuple


class Reading(NamedTuple):
    """One look at one consumer.

    `lag` counts records of its partitions that are not done, `lag_seconds` is the age of the oldest of those it knows;
    `in_hand` are being worked on, `waiting` are to be tried again. The others are sums since the start.
    """

    lag: int
    lag_seconds: float
    in_hand: int
    waiting: int
    done: int
    commit_failures: int
    rebalances: int


def age_seconds(timestamp_ms: int | None, now: float) -> float:
    """How long ago a record was published; 0 for none, or where its producer's clock is ahead of ours."""
    return max(0.0, now - timestamp_ms / 1000) if timestamp_ms is not None else 0.0
