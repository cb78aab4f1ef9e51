"""Which rows come first where not all can be shown: fair over outcomes, lengths and time, and always the same."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

FAILED, SUCCEEDED, UNKNOWN = "failed", "succeeded", "unknown"


class Candidate(NamedTuple):
    """What matters of a row: how it ended or was rated, when (text that sorts; empty: not known), its size."""

    outcome: str
    at: str
    size: int


def fair_order(candidates: Sequence[Candidate]) -> list[int]:
    """All places, in an order of which every beginning is a fair sample of the whole.

    The rows are parted by outcome, and each outcome into its shorter and its longer half. Every part gives the same
    share of its size, spread over time. One row of each outcome stands before all others, failures first of all.
    """
    parts: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for outcome in dict.fromkeys(candidate.outcome for candidate in candidates):
        places = [place for place, candidate in enumerate(candidates) if candidate.outcome == outcome]
        middle = sorted(candidates[place].size for place in places)[len(places) // 2]
        for place in sorted(places, key=lambda place: (candidates[place].at, place)):
            parts[outcome, candidates[place].size > middle].append(place)
    shares = {place: share for part in parts.values() for place, share in _shares(part, candidates)}
    for place in _first_of_each(candidates, shares):
        shares[place] = -2.0 if candidates[place].outcome == FAILED else -1.0
    return sorted(shares, key=lambda place: (shares[place], place))


def _shares(part: Sequence[int], candidates: Sequence[Candidate]) -> list[tuple[int, float]]:
    """Each place with the share of its part that is taken when it is half taken, by the order in which they are."""
    whole = sum(candidates[place].size for place in part) or 1
    taken = 0
    found = []
    for index in evenly(len(part)):
        place = part[index]
        found.append((place, (taken + candidates[place].size / 2) / whole))
        taken += candidates[place].size
    return found


def _first_of_each(candidates: Sequence[Candidate], shares: dict[int, float]) -> list[int]:
    first: dict[str, int] = {}
    for place in sorted(shares, key=lambda place: (shares[place], place)):
        first.setdefault(candidates[place].outcome, place)
    return [*first.values()]


def evenly(count: int) -> list[int]:
    """All places of 0 … count-1, so that every beginning of the list is spread over the whole (van der Corput)."""
    bits = max(count - 1, 1).bit_length()

    def mirrored(number: int) -> int:
        return int(f"{number:0{bits}b}"[::-1], 2)

    return sorted(range(count), key=mirrored)
