"""The plan of a chaos run."""

from tests.chaos.plan import ROOMS, What, blows, wishes


def test_the_same_seed_has_the_same_plan_and_another_seed_another() -> None:
    assert (blows(1, 300), wishes(1, 300)) == (blows(1, 300), wishes(1, 300))
    assert blows(1, 300) != blows(2, 300)
    assert wishes(1, 300) != wishes(2, 300)


def test_even_the_short_form_does_everything_once() -> None:
    dealt = {(blow.what, blow.room) for blow in blows(7, 45)}
    assert {what for what, _ in dealt} == set(What)
    assert {room for what, room in dealt if what is What.KILL} == set(ROOMS)
