"""Compares a report with its baseline: parts paired by key, and what was not judged by the same rules told apart.

Rule 1: a part that failed has no number; it is said to have failed, then or now, and is in no sum.
Rule 2: a pair judged by other rules is shown with what differs and counts as neither improved nor regressed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from typing import NamedTuple

from services.renderer.layout.results import Results, Share, is_scored, positive_share
from services.renderer.layout.rules import differences, flags
from services.renderer.significance import Interval, Of, Sample, difference, mean_difference, signed_rank
from shared.evaluations import AgentEvaluation, Part
from shared.state import Baseline
from shared.vocabulary import PartStatus, Role

SAME = {Role.AGENT: 0.05, Role.LANGUAGE: 0.005}
"""What a number must move by to have changed: half of a tenth of a point, half of a per cent."""


class Verdict(StrEnum):
    """What became of a part, in the order in which the reader wants to see it."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    OTHERWISE = "judged otherwise"
    FAILED_NOW = "failed now"
    FAILED_THEN = "failed then"
    FAILED_BOTH = "failed both times"
    UNSCORED = "not scored"
    ADDED = "only now"
    REMOVED = "only then"
    UNCHANGED = "unchanged"


class Means(NamedTuple):
    """The mean then and now."""

    then: float
    now: float


class Rates(NamedTuple):
    """So many of so many, then and now."""

    then: Share
    now: Share

    @property
    def interval(self) -> Interval | None:
        """Of the change, from -1 to 1; None where too few were counted."""
        return difference(Of(self.now.positive, self.now.of), Of(self.then.positive, self.then.of))

    @property
    def change(self) -> float:
        """How far the share moved."""
        return self.now.positive / self.now.of - self.then.positive / self.then.of


_ORDER = {verdict: place for place, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Pair:
    """A part then and now; one of them may be missing. `differs` says by which rules they were not judged alike."""

    then: Part | None
    now: Part | None
    differs: tuple[str, ...] = ()

    @property
    def part(self) -> Part:
        """The part, for what does not change: its key, its role."""
        part = self.now or self.then
        if part is None:
            raise ValueError("a pair of nothing")
        return part

    @property
    def change(self) -> float | None:
        """How far the number moved."""
        old, new = measured(self.then), measured(self.now)
        return None if old is None or new is None else round(new - old, 6)

    @property
    def verdict(self) -> Verdict:
        """What became of the part."""
        if self.then is None or self.now is None:
            return Verdict.ADDED if self.then is None else Verdict.REMOVED
        if failed := [part for part in (self.then, self.now) if part.status is not PartStatus.COMPLETED]:
            both = len(failed) > 1
            return Verdict.FAILED_BOTH if both else Verdict.FAILED_NOW if self.now in failed else Verdict.FAILED_THEN
        if self.change is None:
            return Verdict.UNSCORED
        if self.differs:
            return Verdict.OTHERWISE
        if abs(self.change) < SAME[self.part.role]:
            return Verdict.UNCHANGED
        return Verdict.IMPROVED if self.change > 0 else Verdict.REGRESSED

    @property
    def is_counted(self) -> bool:
        """It has a number then and now, judged alike."""
        return self.verdict in {Verdict.IMPROVED, Verdict.REGRESSED, Verdict.UNCHANGED}

    @property
    def of_trials(self) -> Interval | None:
        """Of the change of an agent's score, where it was judged several times then and now, and alike."""
        then, now = _sample(self.then), _sample(self.now)
        return mean_difference(now, then) if self.is_counted and then and now else None

    @property
    def rates(self) -> Rates | None:
        """Then and now: successful runs of an agent, positive reviews of a language; None where one is not known."""
        if self.then is None or self.now is None:
            return None
        then, now = rate(self.then), rate(self.now)
        return Rates(then, now) if then.of and now.of else None

    @property
    def interval(self) -> Interval | None:
        """Of the change of the rates; None where too few were counted, or not alike."""
        alike = _is_agent(self) or not self.differs
        return self.rates.interval if self.rates and alike else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs in the reader's order; `flags` say what is not the same for the whole report."""

    baseline: Baseline
    pairs: tuple[Pair, ...]
    flags: tuple[str, ...]

    @property
    def counted(self) -> tuple[Pair, ...]:
        """The pairs that can be added up."""
        return tuple(pair for pair in self.pairs if pair.is_counted)

    @property
    def means(self) -> Means | None:
        """Of the counted pairs' numbers, then and now."""
        old = [number for pair in self.counted if (number := measured(pair.then)) is not None]
        new = [number for pair in self.counted if (number := measured(pair.now)) is not None]
        return Means(fsum(old) / len(old), fsum(new) / len(new)) if old and len(old) == len(new) else None

    @property
    def by_chance(self) -> float | None:
        """How often chance alone moves the counted pairs as one-sidedly; None where there are too few."""
        return signed_rank([pair.change for pair in self.counted if pair.change is not None])

    @property
    def rates(self) -> Rates | None:
        """All runs or reviews together, then and now, of the pairs that have both."""
        known = [rates for pair in self.pairs if (pair.is_counted or _is_agent(pair)) and (rates := pair.rates)]
        if not known:
            return None
        return Rates(_added([rates.then for rates in known]), _added([rates.now for rates in known]))

    def count(self, *verdicts: Verdict) -> int:
        """How many parts became one of these."""
        return sum(pair.verdict in verdicts for pair in self.pairs)


def compare(results: Results, baseline: Baseline) -> Comparison:
    """The report and its baseline, whose parts are in its past."""
    then = {part.key: part for part in results.past.baseline}
    now = {part.key: part for part in results.pieces}
    pairs = [_pair(then.get(key), now.get(key)) for key in sorted(then.keys() | now.keys())]
    ordered = sorted(pairs, key=lambda pair: (_ORDER[pair.verdict], pair.change or 0.0, pair.part.key))
    return Comparison(baseline, tuple(ordered), tuple(flags(results, baseline)))


def measured(part: Part | None) -> float | None:
    """The number a part is compared by: the score of an agent, the share of positive reviews of a language."""
    if part is None or part.status is not PartStatus.COMPLETED:
        return None
    if part.role is Role.AGENT:
        return part.score if is_scored(part) else None
    return positive_share(part).fraction


def rate(part: Part) -> Share:
    """Counts that an interval can be had for. What ended a run is known of a failed part, too."""
    if part.role is Role.AGENT:
        return Share(part.facts.succeeded, part.facts.finished, "runs")
    return positive_share(part) if part.status is PartStatus.COMPLETED else Share(0, 0, "")


def moved(pair: Pair) -> list[tuple[str, float]]:
    """By how much each criterion that both have a score for moved."""
    old, new = _scores(pair.then), _scores(pair.now)
    return [(name, round(new[name] - old[name], 6)) for name in new if name in old and new[name] != old[name]]


def _scores(part: Part | None) -> dict[str, float]:
    if part is None or part.status is not PartStatus.COMPLETED or not isinstance(part.evaluation, AgentEvaluation):
        return {}
    return {scored.name: scored.score for scored in part.evaluation.criteria if scored.score is not None}


def _pair(then: Part | None, now: Part | None) -> Pair:
    return Pair(then, now, tuple(differences(then, now)) if then and now else ())


def _sample(part: Part | None) -> Sample | None:
    """The judgements of an agent, where there are several that scored it."""
    spread = part.trials.score if part is not None and part.trials is not None else None
    if spread is None or spread.mean is None or spread.deviation is None:
        return None
    return Sample(spread.judged, spread.mean, spread.deviation)


def _added(shares: Sequence[Share]) -> Share:
    return Share(sum(share.positive for share in shares), sum(share.of for share in shares), "all")


def _is_agent(pair: Pair) -> bool:
    return pair.part.role is Role.AGENT
