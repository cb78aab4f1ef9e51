"""The ledger's rules: which task may be judged now, by whom, and which need not be judged at all.

Rule 1: a part has one outcome per generation, the first one stored; everybody publishes that one.
Rule 2: whoever claims a part first judges it, and nobody else does until the claim has lapsed; it is kept meanwhile.
Rule 3: a call begins only while its claim is known to hold: whoever was stopped for longer claims anew.
Rule 4: another attempt in the same process is somebody else, so every claim has an owner of its own.
Rule 5: a report that has ended, or moved to another generation, pays for no further call.
Rule 6: nor does one that has reached its limit: its parts that need another call fail, so that it comes to its end.
Claims save money; that a part has one outcome rests on rule 1 alone, so clocks that differ can cost a call, no result.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from shared.messages import EvaluationTask, Outcome
from shared.state import Claim, Standing
from shared.vocabulary import Status

LEAST_WAIT_SECONDS = 0.1
WAIT_JITTER_SECONDS = 1.0  # so that those who wait for the same claim do not come all at once
KEPT_AFTER_DEADLINE = timedelta(days=1)


class Mine(NamedTuple):
    """The task is ours to judge, under this claim."""

    claim: Claim


class Done(NamedTuple):
    """There is an outcome: `kind` is its message's type, `body` its JSON, to be published again."""

    kind: str
    body: str


class Leased(NamedTuple):
    """Somebody is at it: look again in `seconds`."""

    seconds: float


class Ended(NamedTuple):
    """Its report has ended or moved on: nobody waits for this outcome."""


OutcomeOf = Callable[[EvaluationTask, Claim], Awaitable["Outcome | Permission"]]
"""How a claimed task becomes its part's outcome, or why no call is permitted."""

Claimed = Mine | Done | Leased | Ended


class Permission(Enum):
    """What is said to a claimed task just before a call is paid for."""

    GRANTED = auto()
    ENDED = auto()  # nobody waits for the outcome any more
    EXHAUSTED = auto()  # the report has reached its cost or token limit
    LEAVING = auto()  # the process ends: another one is to begin it
    LAPSED = auto()  # the claim was not renewed in time, somebody else may be at it: it is to be claimed anew


def key_of(task: EvaluationTask) -> str:
    """What an outcome belongs to: a part in a generation."""
    return f"{task.part_id}#{task.generation}"


def expires_at(task: EvaluationTask) -> datetime:
    """Until when the ledger remembers a task: past its deadline no call is made, so nothing is paid twice."""
    return task.deadline_at + KEPT_AFTER_DEADLINE


def has_ended(generation: int, standing: Standing | None) -> bool:
    """Whether nobody waits for outcomes of this generation. A report not folded yet has not ended."""
    if standing is None or standing.generation < generation:
        return False
    return standing.generation > generation or standing.status not in {Status.ACCEPTED, Status.EVALUATING}


def seconds_left(claim: Claim, now: datetime, dice: float) -> float | None:
    """How long to wait for somebody else's claim; None if it has lapsed. `dice` is between 0 and 1."""
    left = (claim.until - now).total_seconds()
    return max(left, LEAST_WAIT_SECONDS) + dice * WAIT_JITTER_SECONDS if left > 0 else None
