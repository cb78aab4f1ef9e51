"""What is done to the world and what is asked of it, drawn from a seed: the same seed, the same plan."""

import random
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

EVALUATOR, ORCHESTRATOR, RENDERER, GATEWAY = "evaluator", "orchestrator", "renderer", "gateway"
ROOMS = (ORCHESTRATOR, EVALUATOR, RENDERER, GATEWAY)
MEAN_SECONDS_BETWEEN_BLOWS = 2.0
MEAN_SECONDS_BETWEEN_WISHES = 2.5
UPGRADE_AT, ROLLBACK_AT = 0.35, 0.7  # of the whole time
LARGE = 60  # parts: such a report travels in the bulk lane


class What(StrEnum):
    """What can be done to the world."""

    KILL = "kill -9"
    TERM = "SIGTERM"
    FREEZE = "SIGSTOP"
    JOIN = "join"
    BROKER_KILL = "broker kill -9"
    BROKER_FREEZE = "broker SIGSTOP"
    DATABASE_KILL = "database kill -9"
    JUDGE_KILL = "judge kill -9"
    JUDGE_ERRORS = "judge 500"
    JUDGE_LIMITS = "judge 429"
    JUDGE_SILENCE = "judge silent"
    UPGRADE = "upgrade"
    ROLLBACK = "rollback"


class Blow(NamedTuple):
    """Something to do, `at` seconds from the start, for `seconds`. `pick` (0 to 1) chooses among several of a room."""

    at: float
    what: What
    room: str
    pick: float
    seconds: float


class Wish(NamedTuple):
    """A report to ask for, `at` seconds from the start; None where something is not to be done.

    `again_after`, `cancel_after` are seconds after it was asked for. `refused` pieces are declined by the judge.
    """

    at: float
    report_id: str
    kind: str
    pieces: int
    refused: int
    overview: str
    fail_fast: bool
    by_http: bool
    again_after: float | None
    cancel_after: float | None
    retry: bool
    render: bool


_SECONDS = {
    What.KILL: (0.0, 2.0),
    What.TERM: (0.0, 0.0),
    What.FREEZE: (7.0, 22.0),  # the session is 6 s, the lease of a call 15 s
    What.JOIN: (8.0, 20.0),
    What.BROKER_KILL: (0.0, 2.0),
    What.BROKER_FREEZE: (1.0, 8.0),
    What.DATABASE_KILL: (0.0, 3.0),
    What.JUDGE_KILL: (0.0, 3.0),
    What.JUDGE_ERRORS: (3.0, 8.0),
    What.JUDGE_LIMITS: (3.0, 8.0),
    What.JUDGE_SILENCE: (3.0, 8.0),
}
_EACH = [
    *((What.KILL, room) for room in ROOMS),
    *((What.TERM, room) for room in ROOMS),
    *((What.FREEZE, room) for room in (EVALUATOR, RENDERER, ORCHESTRATOR)),
    (What.JOIN, EVALUATOR),
    *((what, "") for what in _SECONDS if what not in {What.KILL, What.TERM, What.FREEZE, What.JOIN}),
]
_MORE = [*((What.KILL, room) for room in ROOMS for _ in range(2)), (What.KILL, EVALUATOR), (What.TERM, EVALUATOR)]


def blows(seed: int, seconds: float) -> list[Blow]:
    """One of each kind first, in random order; then more, deck by deck, as far as there is time."""
    dice = random.Random(f"blows {seed}")
    found = [
        Blow(seconds * UPGRADE_AT, What.UPGRADE, "", 0.0, 0.0),
        Blow(seconds * ROLLBACK_AT, What.ROLLBACK, "", 0.0, 0.0),
    ]
    at = 1.0
    for what, room in _cards(dice):
        if at >= seconds:
            return sorted(found)
        found.append(Blow(at, what, room, dice.random(), dice.uniform(*_SECONDS[what])))
        at += dice.uniform(0.3, 1.7) * MEAN_SECONDS_BETWEEN_BLOWS
    raise AssertionError("the cards do not end")


def _cards(dice: random.Random) -> Iterator[tuple[What, str]]:
    while True:
        for deck in (_EACH, _MORE):
            cards = list(deck)
            dice.shuffle(cards)
            yield from cards


def wishes(seed: int, seconds: float) -> list[Wish]:
    """Reports of both kinds and all sizes, some asked for twice, cancelled, tried again, rendered again."""
    dice = random.Random(f"wishes {seed}")
    found: list[Wish] = []
    at = 0.0
    while at < seconds:
        pieces = LARGE if dice.random() < 0.02 else dice.randint(1, 8)
        found.append(
            Wish(
                at=at,
                report_id=f"r{len(found):04d}",
                kind=dice.choice(("agents", "agents", "reviews")),
                pieces=pieces,
                refused=1 if dice.random() < 0.2 else 0,
                overview=dice.choice(("auto", "concurrent", "synthesis")),
                fail_fast=dice.random() < 0.1,
                by_http=dice.random() < 0.6,
                again_after=dice.choice((0.0, dice.uniform(0, 30))) if dice.random() < 0.3 else None,
                cancel_after=dice.uniform(0, 6) if dice.random() < 0.1 else None,
                retry=dice.random() < 0.5,
                render=dice.random() < 0.08,
            )
        )
        at += dice.uniform(0.2, 1.8) * MEAN_SECONDS_BETWEEN_WISHES
    return found
