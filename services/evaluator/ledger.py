"""Talks to the ledger for all tasks of one evaluator: claims them, keeps the claims, stores what came of them."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from services.evaluator.claims import (
    Claimed,
    Done,
    Ended,
    Leased,
    Mine,
    Permission,
    expires_at,
    has_ended,
    key_of,
    seconds_left,
)
from shared.coalescing import Coalesced
from shared.messages import EvaluationTask, Outcome
from shared.state import Claim, Standing
from shared.store import StoreUnavailableError
from shared.store.ledger import StoredOutcome
from shared.telemetry import Metrics
from shared.together import together

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.4  # between two looks at which reports have ended: a cancellation takes effect within a second
RENEWALS_PER_LEASE = 4
STORE_AGAIN_SECONDS = 0.5  # a paid outcome is not let go because the database is away for a while
GIVE_BACK_SECONDS = 2.0


class Books(Protocol):
    """The ledger's collections."""

    async def claim(self, claims: Mapping[Claim, datetime]) -> frozenset[str]:
        """Store the claims; return the keys already taken."""

    async def claims(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        """Who holds these keys."""

    async def take_over(self, lapsed: Claim, claim: Claim) -> bool:
        """Replace a lapsed claim if it still holds."""

    async def renew(self, claims: Sequence[Claim], until: datetime) -> None:
        """Hold these claims until then."""

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give these claims back."""

    async def outcomes(self, keys: Sequence[str]) -> Mapping[str, StoredOutcome]:
        """The stored outcomes."""

    async def settle(self, outcomes: Mapping[StoredOutcome, datetime]) -> frozenset[str]:
        """Store the outcomes; return the keys that had one."""


Standings = Callable[[Collection[str]], Coroutine[None, None, Mapping[str, Standing]]]


class Dials(NamedTuple):
    """The clock, the dice (0 to 1), new owners' names, and for how long a claim holds without being renewed."""

    utc: Callable[[], datetime]
    random: Callable[[], float]
    new_owner: Callable[[], str]
    lease: timedelta


class _Held(NamedTuple):
    """A task under a claim of ours, and until when the claim is known to hold."""

    task: EvaluationTask
    until: datetime


class Ledger:
    """One evaluator's side of the ledger. `leave` is for the end of the process: what has not begun is given back."""

    def __init__(self, books: Books, standings: Standings, dials: Dials, metrics: Metrics) -> None:
        self._books = books
        self._standings = standings
        self._dials = dials
        self._metrics = metrics
        self._held: dict[Claim, _Held] = {}
        self._begun: set[Claim] = set()
        self._ended: set[Claim] = set()
        self._exhausted: set[Claim] = set()
        self._leaving = False
        self._claim_all = Coalesced(self._write_claims)
        self._settle_all = Coalesced(self._write_outcomes)

    async def claim(self, task: EvaluationTask) -> Claimed:
        """What is to be done about a task. A claim of ours is kept until `let_go`."""
        if self._leaving:
            return Leased(0.0)
        found = await self._claim_all(task)
        if not isinstance(found, Mine):
            return found
        self._held[found.claim] = _Held(task, found.claim.until)
        if self._leaving:  # since it was asked for
            await self._books.release([found.claim])
        return found

    def permission(self, claim: Claim) -> Permission:
        """Asked before each call; the first one granted makes the task one that this process finishes."""
        if claim in self._ended:
            return Permission.ENDED
        if self._dials.utc() >= self._held[claim].until:
            return Permission.LAPSED
        if self._leaving and claim not in self._begun:
            return Permission.LEAVING
        if claim in self._exhausted:
            return Permission.EXHAUSTED
        self._begun.add(claim)
        return Permission.GRANTED

    async def settle(self, claim: Claim, outcome: Outcome) -> Done:
        """Store what a task came to; returns the outcome that holds, which is the first one stored."""
        stored = StoredOutcome(claim.key, type(outcome).__name__, outcome.model_dump_json(by_alias=True))
        while True:
            try:
                return await self._settle_all((stored, expires_at(self._held[claim].task)))
            except StoreUnavailableError as error:
                logger.warning("an outcome waits for the database: %r", error)
                await asyncio.sleep(STORE_AGAIN_SECONDS)

    def let_go(self, claim: Claim) -> None:
        """Keep the claim no longer, whatever the task has come to."""
        self._held.pop(claim, None)
        self._begun.discard(claim)
        self._ended.discard(claim)
        self._exhausted.discard(claim)

    async def leave(self) -> None:
        """Begin nothing more, and give back what has not begun, so that another process need not wait for it."""
        self._leaving = True
        waiting = [claim for claim in self._held if claim not in self._begun]
        if not waiting:
            return
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await self._books.release(waiting)
        except (StoreUnavailableError, TimeoutError) as error:
            logger.warning("%d claims are left to lapse: %r", len(waiting), error)

    async def keep(self) -> None:
        """Renew what is held and look for ended reports, until cancelled."""
        renew_after = self._dials.lease / RENEWALS_PER_LEASE
        renewed = self._dials.utc()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = self._dials.utc()
            try:
                await self.look()
                if now - renewed >= renew_after:
                    await self.renew()
                    renewed = now
            except StoreUnavailableError as error:
                logger.warning("claims are not renewed: %r", error)

    async def renew(self) -> None:
        """Hold what is held for another lease; what has lapsed or was given back is not ours to hold."""
        now = self._dials.utc()
        until = now + self._dials.lease
        ours = [claim for claim in self._held if not self._leaving or claim in self._begun]
        held = [claim for claim in ours if now < self._held[claim].until]
        if not held:
            return
        await self._books.renew(held, until)
        self._held.update({claim: self._held[claim]._replace(until=until) for claim in held if claim in self._held})

    async def look(self) -> None:
        """Note which of the held tasks nobody waits for any more, and which are not to be begun."""
        held = dict(self._held)
        standings = await self._standings({task.report_id for task, _ in held.values()}) if held else {}
        ended = [
            claim for claim, (task, _) in held.items() if has_ended(task.generation, standings.get(task.report_id))
        ]
        self._ended.update(claim for claim in ended if claim in self._held)
        exhausted = [claim for claim, (task, _) in held.items() if _is_exhausted(standings.get(task.report_id))]
        self._exhausted.update(claim for claim in exhausted if claim in self._held)

    async def _write_claims(self, tasks: Sequence[EvaluationTask]) -> Sequence[Claimed]:
        """All claims in one write, and beside it the one read that says which reports have ended."""
        until = self._dials.utc() + self._dials.lease
        claims = [Claim(key_of(task), self._dials.new_owner(), until) for task in tasks]
        first: dict[str, tuple[Claim, datetime]] = {}  # a task may have been delivered twice in one poll
        for claim, task in zip(claims, tasks, strict=True):
            first.setdefault(claim.key, (claim, expires_at(task)))
        async with together() as both:
            writing = both.create_task(self._books.claim(dict(first.values())))
            reading = both.create_task(self._standings({task.report_id for task in tasks}))
        taken = writing.result()
        known = await self._of_others([claim for claim in claims if claim.key in taken])
        found: list[Claimed] = []
        for claim, task in zip(claims, tasks, strict=True):
            standing = reading.result().get(task.report_id)
            if has_ended(task.generation, standing):
                found.append(Ended())
            elif claim.key in taken or first[claim.key][0] is not claim:
                found.append(known.get(claim.owner, Leased(0.0)))
            else:
                found.append(Mine(claim))
            if isinstance(found[-1], Mine) and _is_exhausted(standing):
                self._exhausted.add(claim)
        return found

    async def _of_others(self, wanted: Sequence[Claim]) -> Mapping[str, Claimed]:
        """What is to be done where somebody was faster, by the owner we would be.

        Lapsed claims are taken over first and outcomes read last, so that one stored meanwhile is seen.
        """
        if not wanted:
            return {}
        held = await self._books.claims([claim.key for claim in wanted])
        found: dict[str, Claimed] = {}
        for claim in wanted:
            holder = held.get(claim.key)
            left = seconds_left(holder, self._dials.utc(), self._dials.random()) if holder else 0.0
            if left is not None:
                found[claim.owner] = Leased(left)
            elif holder is not None and await self._books.take_over(holder, claim):
                self._metrics.claims_taken_over.inc()
                found[claim.owner] = Mine(claim)
        outcomes = await self._books.outcomes([claim.key for claim in wanted])
        done = {claim.owner: outcomes[claim.key] for claim in wanted if claim.key in outcomes}
        return {**found, **{owner: Done(outcome.kind, outcome.body) for owner, outcome in done.items()}}

    async def _write_outcomes(self, outcomes: Sequence[tuple[StoredOutcome, datetime]]) -> Sequence[Done]:
        had_one = await self._books.settle(dict(outcomes))
        stored = await self._books.outcomes([*had_one]) if had_one else {}
        found = []
        for outcome, _ in outcomes:
            holds = stored.get(outcome.key, outcome)
            if holds.body != outcome.body:
                self._metrics.paid_twice.inc()
            found.append(Done(holds.kind, holds.body))
        return found


def _is_exhausted(standing: Standing | None) -> bool:
    return standing is not None and standing.exhausted
