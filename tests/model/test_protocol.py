"""The protocol under the orders of effects that chance finds: kills, zombies, repeats, lost topics, late clocks."""

from random import Random
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.model import moves
from tests.model.ending import Ending
from tests.model.rooms import Rules
from tests.model.world import World

DICE = st.randoms(use_true_random=False)


def check(world: World) -> None:
    if world.laws.broken:
        note("\n".join(world.stage.story))
    assert not world.laws.broken, "; ".join(world.laws.broken)


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=300, deadline=None, print_blob=True)
def test_the_laws_hold_on_every_walk(seed: int) -> None:
    check(moves.walk(Rules(), Random(seed)))


class Protocol(RuleBasedStateMachine):
    """The same moves, chosen one by one, so that what breaks a law is made as short as can be."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @initialize(dice=DICE)
    def a_report_is_somewhere(self, dice: Random) -> None:
        moves.begin(self.world, dice)

    @rule(dice=DICE)
    def work(self, dice: Random) -> None:
        moves.work(self.world, dice)

    @rule(dice=DICE)
    def all_work(self, dice: Random) -> None:
        moves.all_work(self.world, dice)

    @rule(dice=DICE)
    def the_judge_speaks(self, dice: Random) -> None:
        moves.judge(self.world, dice)

    @rule(dice=DICE)
    def time_passes(self, dice: Random) -> None:
        moves.wait(self.world, dice)

    @rule(dice=DICE)
    def somebody_wants_a_report(self, dice: Random) -> None:
        moves.request(self.world, dice)

    @rule(dice=DICE)
    def somebody_wants_something_of_a_report(self, dice: Random) -> None:
        moves.wish(self.world, dice)

    @rule(dice=DICE)
    def fate_strikes(self, dice: Random) -> None:
        moves.strike(self.world, dice)

    @rule(dice=DICE)
    def a_topic_suffers(self, dice: Random) -> None:
        moves.trouble(self.world, dice)

    @rule(dice=DICE)
    def a_rendering_fails(self, dice: Random) -> None:
        moves.spoil(self.world, dice)

    @invariant()
    def no_law_is_broken(self) -> None:
        check(self.world)

    def teardown(self) -> None:
        try:
            Ending(self.world).come()
        finally:
            self.world.close()
        check(self.world)


TestProtocol: Any = Protocol.TestCase
TestProtocol.settings = settings(max_examples=60, stateful_step_count=20, deadline=None, print_blob=True)
