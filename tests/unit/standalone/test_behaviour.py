"""Which of the stand-in's calls go wrong."""

from services.standalone.behaviour import Behaviour, Fault


def test_by_default_nothing_goes_wrong() -> None:
    assert {Behaviour().fault("7", number, 100) for number in range(100)} == {None}


def test_a_key_is_refused_or_fails_as_told() -> None:
    behaviour = Behaviour(refuse=frozenset({"7"}), fail={"8": Fault.QUOTA})
    assert [behaviour.fault(key, 1, 0) for key in ("7", "8", "9")] == [Fault.REFUSED, Fault.QUOTA, None]


def test_all_calls_can_go_wrong_in_the_same_way() -> None:
    behaviour = Behaviour(always=Fault.QUOTA, fail={"8": Fault.REFUSED})
    assert {behaviour.fault(key, number, 0) for key in ("7", "8") for number in range(50)} == {Fault.QUOTA}


def test_calls_beyond_the_most_at_once_are_told_to_wait() -> None:
    behaviour = Behaviour(max_concurrency=2)
    assert [behaviour.fault("7", 1, in_flight) for in_flight in (0, 1, 2)] == [None, None, Fault.RATE_LIMITED]


def test_shares_of_the_calls_go_wrong_and_the_same_ones_every_time() -> None:
    behaviour = Behaviour(rate_429=0.1, rate_500=0.2, rate_invalid=0.3, rate_timeout=0.2)
    faults = [behaviour.fault("7", number, 0) for number in range(1000)]
    assert faults == [behaviour.fault("7", number, 0) for number in range(1000)]
    assert 70 < faults.count(Fault.RATE_LIMITED) < 130
    assert 160 < faults.count(Fault.SERVER_ERROR) < 240
    assert 250 < faults.count(Fault.INVALID_JSON) + faults.count(Fault.OUT_OF_RANGE) < 350
    assert 160 < faults.count(Fault.TIMEOUT) < 240


def test_another_seed_fails_other_calls() -> None:
    first, second = (Behaviour(rate_500=0.5, seed=seed) for seed in (1, 2))
    assert [first.fault("7", n, 0) for n in range(50)] != [second.fault("7", n, 0) for n in range(50)]
