"""When a program that ended is started again."""

from services.standalone.restarts import RestartPolicy, Restarts

POLICY = RestartPolicy(most=3, within_seconds=30, first_pause_seconds=0.2, longest_pause_seconds=0.5)


def test_the_pause_doubles_up_to_the_longest() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.pause_after_end(now) for now in (0.0, 1.0, 2.0)] == [0.2, 0.4, 0.5]


def test_one_end_too_many_is_the_last() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.pause_after_end(0.0) for _ in range(4)][-1] is None


def test_ends_of_long_ago_are_forgotten() -> None:
    restarts = Restarts(POLICY)
    assert [restarts.pause_after_end(now) for now in (0.0, 30.0, 60.0, 90.0)] == [0.2] * 4
