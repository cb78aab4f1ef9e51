"""Which calls had to be paid for twice."""

import pytest

from tests.chaos.evidence import Call
from tests.chaos.malice import Wound
from tests.chaos.paid import paid
from tests.chaos.plan import EVALUATOR, What

PART = "r1/agent/7"


def call(who: str, began: float, ended: float | None, *, answered: bool = True, fault: str | None = None) -> Call:
    return Call(who, PART, fault, began, ended, answered)


def wound(what: What, victim: str, began: float, ended: float) -> Wound:
    return Wound(what, EVALUATOR, victim, began, ended)


AGAIN = call("b", 30, 31)
KILLED = wound(What.KILL, "a", 10.5, 12)


def test_one_call_for_one_outcome_is_paid_once() -> None:
    assert paid([call("a", 10, 11)], {PART: 1}, []).twice == 0


def test_a_call_for_each_generation_is_paid_once() -> None:
    assert paid([call("a", 10, 11), AGAIN], {PART: 2}, []).twice == 0


def test_a_second_call_for_no_reason_is_inexcusable() -> None:
    bill = paid([call("a", 10, 11), AGAIN], {PART: 1}, [])
    assert (bill.twice, len(bill.inexcusable)) == (1, 1)


@pytest.mark.parametrize(
    ("first", "wounds"),
    [
        (call("a", 10, 10.5, answered=False), [KILLED]),
        (call("a", 10, 11), [wound(What.FREEZE, "a", 10.5, 26)]),
        (call("a", 9, 10), [wound(What.KILL, "a", 14, 15), Wound(What.DATABASE_KILL, "database", "", 9.5, 15)]),
    ],
    ids=["in flight at kill -9", "stopped beyond its lease", "unstored as the database was away"],
)
def test_what_was_in_flight_had_to_be_paid_twice(first: Call, wounds: list[Wound]) -> None:
    bill = paid([first, AGAIN], {PART: 1}, wounds)
    assert (bill.twice, bill.in_flight, bill.inexcusable) == (1, 1, ())


@pytest.mark.parametrize(
    "wounds",
    [
        [wound(What.KILL, "a", 20, 21)],
        [wound(What.KILL, "b", 10.5, 12)],
        [wound(What.FREEZE, "a", 10.5, 17)],
        [wound(What.TERM, "a", 10.5, 12)],
    ],
    ids=["killed after it was stored", "another was killed", "stopped within its lease", "asked to leave"],
)
def test_what_was_not_in_flight_is_inexcusable(wounds: list[Wound]) -> None:
    assert paid([call("a", 10, 11), AGAIN], {PART: 1}, wounds).inexcusable


@pytest.mark.parametrize("lost", [call("a", 10, None), call("a", 10, 10.1, fault="server_error")])
def test_what_the_judge_lost_or_spoilt_is_counted_apart(lost: Call) -> None:
    bill = paid([lost, AGAIN], {PART: 1}, [])
    assert (bill.calls, bill.spoilt, bill.twice) == (2, 1, 0)
