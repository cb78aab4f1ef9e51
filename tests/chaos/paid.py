"""Counts the calls that were paid for twice, from the judge's journal, and which of them had to be."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.chaos.evidence import Call
from tests.chaos.malice import Wound
from tests.chaos.plan import EVALUATOR, What
from tests.chaos.world import ATTEMPT_SECONDS, LEASE_SECONDS

ARRIVAL_SECONDS = 1.0  # from the call to the line about it in the journal of a judge that is busy
SETTLE_SECONDS = 1.0  # from the judge's answer to the stored outcome
SURE_OF_LEASE = LEASE_SECONDS * 0.75  # a claim is renewed every quarter: of one that stops, at least this is left


class Paid(NamedTuple):
    """The bill. Calls that the judge itself lost or spoilt are counted apart."""

    calls: int
    spoilt: int
    twice: int
    in_flight: int
    inexcusable: tuple[str, ...]


def paid(calls: Sequence[Call], evaluated: Mapping[str, int], wounds: Sequence[Wound]) -> Paid:
    """`evaluated` has, by part, in how many generations it was judged: one call each was needed."""
    good: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        if not _is_the_judges_fault(call):
            good[call.part_id].append(call)
    twice = 0
    inexcusable = []
    for part_id, made in sorted(good.items()):
        surplus = max(0, len(made) - evaluated.get(part_id, 0))
        twice += surplus
        excused = [call for call in made if any(_excuses(wound, call, wounds) for wound in wounds)]
        if surplus > len(excused):
            told = "; ".join(f"{call.who} {call.began:.2f}-{call.ended or 0:.2f} {call.answered}" for call in made)
            inexcusable.append(f"{part_id} was paid {len(made)} times for {evaluated.get(part_id, 0)} outcomes: {told}")
    return Paid(
        calls=len(calls),
        spoilt=sum(_is_the_judges_fault(call) for call in calls),
        twice=twice,
        in_flight=sum(
            any(_excuses(wound, call, wounds) for wound in wounds) for made in good.values() for call in made
        ),
        inexcusable=tuple(inexcusable),
    )


def _is_the_judges_fault(call: Call) -> bool:
    if call.fault is not None or call.ended is None:
        return True
    return not call.answered and call.ended - call.began > ATTEMPT_SECONDS - 0.5  # the evaluator gave up waiting


def _excuses(wound: Wound, call: Call, wounds: Sequence[Wound]) -> bool:
    """The call's process was killed, or stopped beyond its lease, before the call's outcome can have been stored."""
    if wound.room != EVALUATOR or wound.victim != call.who or call.ended is None:
        return False
    beyond = wound.what is What.FREEZE and wound.ended - wound.began > SURE_OF_LEASE
    if not beyond and wound.what is not What.KILL:
        return False
    last = wound.ended + LEASE_SECONDS / 4 if beyond else wound.began  # until it next looks after its claims
    return call.began <= last + ARRIVAL_SECONDS and wound.began <= _stored_by(call, wounds)


def _stored_by(call: Call, wounds: Sequence[Wound]) -> float:
    """When the call's outcome was stored at the latest; a database that is away is waited for."""
    assert call.ended is not None
    at = call.ended + SETTLE_SECONDS
    for wound in sorted(wounds, key=lambda wound: wound.began):
        if wound.what is What.DATABASE_KILL and wound.began <= at and call.ended <= wound.ended:
            at = wound.ended + SETTLE_SECONDS
    return at
