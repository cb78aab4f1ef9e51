"""When a judge is not asked any more, and when it is again."""

import pytest

from services.evaluator.breaker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Breaker
from shared.vocabulary import Reason
from tests.unit.evaluator.replies import a_failure, a_reply

QUOTA = a_failure(Reason.QUOTA_EXHAUSTED, again=False)


def opened() -> Breaker:
    breaker = Breaker()
    breaker.heard(QUOTA, 0.0)
    breaker.heard(QUOTA, 0.0)
    return breaker


@pytest.mark.parametrize("reason", [Reason.QUOTA_EXHAUSTED, Reason.AUTH_FAILED, Reason.MODEL_UNAVAILABLE])
def test_two_answers_in_a_row_that_say_it_is_in_vain_open_it(reason: Reason) -> None:
    breaker, failure = Breaker(), a_failure(reason, again=False)
    assert not breaker.heard(failure, 0.0)
    assert breaker.refusal(0.0) is None
    assert breaker.heard(failure, 0.0)
    refusal = breaker.refusal(0.0)
    assert refusal is not None
    assert (refusal.reason, refusal.again) == (reason, False)
    assert refusal.detail == f"not asked, as the judge had said before: it was {reason}"


@pytest.mark.parametrize(
    "reason", sorted(set(Reason) - {Reason.QUOTA_EXHAUSTED, Reason.AUTH_FAILED, Reason.MODEL_UNAVAILABLE})
)
def test_no_other_failure_opens_it(reason: Reason) -> None:
    breaker = Breaker()
    assert not any(breaker.heard(a_failure(reason), 0.0) for _ in range(10))
    assert breaker.open is None


@pytest.mark.parametrize("taken", [a_reply(), a_failure(Reason.REFUSED), a_failure(Reason.TRUNCATED)])
def test_one_alone_is_about_one_call_if_the_judge_takes_others(taken: object) -> None:
    breaker = Breaker()
    for _ in range(5):
        assert not breaker.heard(QUOTA, 0.0)
        breaker.heard(taken, 0.0)  # type: ignore[arg-type]  # a reply or a failure
    assert breaker.open is None


def test_a_limit_or_an_error_in_between_says_nothing() -> None:
    breaker = Breaker()
    breaker.heard(QUOTA, 0.0)
    breaker.heard(a_failure(Reason.RATE_LIMITED), 0.0)
    assert breaker.heard(QUOTA, 0.0)


def test_after_a_pause_it_is_on_trial() -> None:
    breaker = opened()
    assert not breaker.is_on_trial(FIRST_PAUSE_SECONDS - 0.1)
    assert breaker.is_on_trial(FIRST_PAUSE_SECONDS)
    assert breaker.refusal(FIRST_PAUSE_SECONDS) is None


def test_if_the_trial_is_taken_all_may_ask_again() -> None:
    breaker = opened()
    assert breaker.heard(a_reply(), FIRST_PAUSE_SECONDS)
    assert breaker.refusal(FIRST_PAUSE_SECONDS) is None
    assert not breaker.is_on_trial(FIRST_PAUSE_SECONDS)


def test_if_it_fails_the_next_one_waits_twice_as_long_up_to_a_bound() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(7):
        assert breaker.open is not None
        pauses.append(breaker.open.try_at - now)
        now = breaker.open.try_at
        assert breaker.is_on_trial(now)
        assert not breaker.heard(QUOTA, now)
    assert pauses == [15, 30, 60, 120, 240, 240, 240]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_calls_that_were_in_flight_when_it_opened_make_no_pause_longer() -> None:
    breaker = opened()
    for _ in range(20):
        breaker.heard(QUOTA, 1.0)
    assert breaker.is_on_trial(FIRST_PAUSE_SECONDS)
