"""What a judge's answers do to the number of calls at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.calls import Headroom
from services.evaluator.pacing import CROWDED, HOLD_SECONDS, Call, Cause, Change, Ending, FixedLimit, Limit

ANSWERED, REFUSED, BROKEN, UNCALLED = Ending.ANSWERED, Ending.REFUSED, Ending.BROKEN, Ending.UNCALLED


def begun(limit: Limit, count: int) -> list[Call]:
    return [limit.begin() for _ in range(count)]


def crowd(limit: Limit, now: float = 0.0) -> Change:
    """Refuse calls until the limit falls."""
    for _ in range(int(CROWDED) + 1):
        if change := limit.end(limit.begin(), REFUSED, now):
            return change
    raise AssertionError("nothing has changed")


def answered_at_the_limit(limit: Limit, now: float) -> Change | None:
    """One call at the limit is answered; the others as if they had never been."""
    *others, last = begun(limit, limit.limit)
    change = limit.end(last, ANSWERED, now)
    for call in others:
        limit.end(call, UNCALLED, now)
    return change


def test_a_judge_is_asked_as_much_as_is_allowed_at_first() -> None:
    assert Limit(10).allowed(0.0) == 10


# --- the door


def test_a_refusal_closes_the_door_until_the_judges_time_has_passed() -> None:
    limit = Limit(10)
    refused, *_ = begun(limit, 10)
    limit.end(refused, REFUSED, 5.0, after=3.0)
    assert (limit.allowed(5.0), limit.opens_at(5.0)) == (9, 8.0)
    assert (limit.allowed(7.9), limit.allowed(8.0), limit.opens_at(8.0)) == (9, 10, None)
    assert limit.limit == 10


def test_behind_a_closed_door_each_answer_lets_one_more_in() -> None:
    limit = Limit(10)
    first, second, third, *_ = begun(limit, 10)
    limit.end(first, REFUSED, 0.0)
    limit.end(second, REFUSED, 0.0)
    assert (limit.in_flight, limit.allowed(0.0)) == (8, 8)
    limit.end(third, ANSWERED, 0.1)
    assert (limit.in_flight, limit.allowed(0.1)) == (7, 9)


def test_where_nothing_is_in_flight_nothing_begins_before_the_door_opens() -> None:
    limit = Limit(2)
    limit.end(limit.begin(), REFUSED, 0.0, after=2.0)
    assert (limit.allowed(1.9), limit.allowed(2.0)) == (0, 2)


def test_a_very_long_wait_is_asked_for_again() -> None:
    limit = Limit(2)
    limit.end(limit.begin(), REFUSED, 0.0, after=86_400.0)
    assert limit.opens_at(0.0) == 30.0


# --- shrinking


def test_only_refusals_shrink_the_limit() -> None:
    limit = Limit(10)
    for ending in (BROKEN, UNCALLED, ANSWERED):
        for second in range(200):
            assert limit.end(limit.begin(), ending, float(second)) is None
    assert limit.limit == 10


def test_a_crowded_judge_is_asked_a_quarter_less_at_a_time() -> None:
    limit = Limit(10)
    assert [crowd(limit) for _ in range(4)] == [
        Change(10, 7, Cause.CROWDED),
        Change(7, 5, Cause.CROWDED),
        Change(5, 3, Cause.CROWDED),
        Change(3, 2, Cause.CROWDED),
    ]
    assert crowd(limit).after == 1


def test_calls_that_began_before_a_change_say_nothing_about_the_new_limit() -> None:
    limit = Limit(10)
    before = begun(limit, 30)
    crowd(limit)
    for call in before:
        assert limit.end(call, REFUSED, 0.0) is None
    assert limit.limit == 7


def shares(limit: Limit, refused: int, now: float, calls: int = 40) -> Change | None:
    """So many of the next calls are refused, evenly; what changed last."""
    last = None
    for number in range(calls):
        is_refused = (number + 1) * refused // calls > number * refused // calls
        last = limit.end(limit.begin(), REFUSED if is_refused else ANSWERED, now) or last
    return last


def test_where_one_fewer_spares_the_refusals_it_stays_so() -> None:
    limit = Limit(10)
    assert shares(limit, 8, 20.0) == Change(10, 9, Cause.REFUSALS)
    assert shares(limit, 2, 30.0) is None
    assert limit.limit == 9


def test_the_fewer_are_asked_at_once_the_sooner_it_is_seen_whether_one_fewer_helps() -> None:
    limit = Limit(2)
    assert shares(limit, 1, 20.0, calls=7) is None
    assert shares(limit, 1, 20.0, calls=1) == Change(2, 1, Cause.REFUSALS)


def test_where_one_fewer_does_not_spare_them_it_is_taken_back_and_tried_again_after_twice_as_long() -> None:
    limit = Limit(10)
    shares(limit, 8, 20.0)
    assert shares(limit, 8, 21.0) == Change(9, 10, Cause.NO_RELIEF)
    assert shares(limit, 8, 40.0) is None
    assert shares(limit, 8, 41.1, calls=1) == Change(10, 9, Cause.REFUSALS)


# --- growing


def test_the_limit_grows_by_one_when_a_call_at_the_limit_is_answered_after_a_quiet_while() -> None:
    limit = Limit(10)
    crowd(limit)
    assert answered_at_the_limit(limit, 4.9) is None
    assert answered_at_the_limit(limit, 5.0) == Change(7, 8, Cause.SUCCESS)
    assert answered_at_the_limit(limit, 10.0) == Change(8, 9, Cause.SUCCESS)


def test_the_limit_does_not_grow_beyond_what_is_allowed_nor_where_it_is_not_used() -> None:
    limit = Limit(10)
    assert answered_at_the_limit(limit, 100.0) is None
    crowd(limit)
    assert limit.end(limit.begin(), ANSWERED, 100.0) is None


def test_the_first_refusal_at_a_new_height_takes_the_step_back_and_the_next_one_waits_twice_as_long() -> None:
    limit = Limit(10)
    crowd(limit)
    answered_at_the_limit(limit, 5.0)
    *_, top = begun(limit, 8)
    assert limit.end(top, REFUSED, 6.0) == Change(8, 7, Cause.STEP_REFUSED)
    limit.in_flight = 0
    assert answered_at_the_limit(limit, 15.9) is None
    assert answered_at_the_limit(limit, 16.0) == Change(7, 8, Cause.SUCCESS)


def test_an_error_or_a_time_out_holds_growth() -> None:
    limit = Limit(10)
    crowd(limit)
    limit.end(limit.begin(), BROKEN, 5.0)
    assert answered_at_the_limit(limit, 5.0 + HOLD_SECONDS - 0.1) is None
    assert answered_at_the_limit(limit, 5.0 + HOLD_SECONDS) is not None


# --- what the judge says of its own limits


def test_little_left_holds_growth_and_much_does_not() -> None:
    limit = Limit(10)
    crowd(limit)
    limit.heed(Headroom(requests=500), 5.0)
    assert answered_at_the_limit(limit, 5.0) is not None
    limit.heed(Headroom(requests=3), 10.0)
    assert answered_at_the_limit(limit, 19.9) is None


def test_nothing_begins_before_what_is_used_up_is_there_again() -> None:
    limit = Limit(10)
    limit.heed(Headroom(requests=0, resets_in=4.0), 1.0)
    assert (limit.allowed(4.9), limit.opens_at(1.0), limit.allowed(5.0)) == (0, 5.0, 10)


def test_nothing_left_without_a_time_stops_nobody() -> None:
    limit = Limit(10)
    limit.heed(Headroom(requests=0), 1.0)
    assert limit.allowed(1.0) == 10


# --- always


@given(
    st.integers(1, 12), st.lists(st.tuples(st.sampled_from(Ending), st.integers(1, 12), st.floats(0, 30)), max_size=300)
)
@settings(max_examples=60, deadline=None)
def test_the_limit_stays_between_one_and_the_most_and_every_change_says_why(
    most: int, steps: list[tuple[Ending, int, float]]
) -> None:
    limit, now = Limit(most), 0.0
    for ending, at_once, seconds in steps:
        now += seconds
        before = limit.limit
        for call in begun(limit, at_once):
            if change := limit.end(call, ending, now, seconds):
                assert (change.before, change.after) == (before, limit.limit)
                assert change.before != change.after
                before = limit.limit
        assert limit.limit == before
        assert 1 <= limit.limit <= most
        assert 0 <= limit.allowed(now) <= limit.limit
        opens = limit.opens_at(now)
        assert limit.allowed(now) == limit.limit if opens is None else opens > now
    assert limit.in_flight == 0


@pytest.mark.parametrize("ending", Ending)
def test_a_fixed_limit_does_not_change(ending: Ending) -> None:
    limit = FixedLimit(3)
    for _ in range(100):
        assert limit.end(limit.begin(), ending, 0.0, 9.0) is None
    limit.heed(Headroom(requests=0, resets_in=4.0), 0.0)
    assert (limit.limit, limit.allowed(0.0), limit.in_flight) == (3, 3, 0)
