"""What a report has come to: its parts in the reader's order, who counts, and every number computed from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.renderer.past import NO_PAST, Past
from shared.evaluations import Coverage, LanguageEvaluation, OverviewEvaluation, Part
from shared.state import Plan, Report
from shared.vocabulary import Kind, PartStatus, Role, Status

FAILED_STATUSES = frozenset({PartStatus.ERRORED, PartStatus.CANCELLED})


class Share(NamedTuple):
    """How many reviews are positive of how many, and how that is known. Zero of zero is not known."""

    positive: int
    of: int
    source: str

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None where nothing was counted."""
        return self.positive / self.of if self.of else None


class Banner(NamedTuple):
    """How the report ended, in one word and in a sentence."""

    word: str
    sentence: str

    @property
    def text(self) -> str:
        """As it stands on the summary."""
        return f"{self.word}: {self.sentence}" if self.sentence else self.word


@dataclass(frozen=True, slots=True)
class Results:
    """A report with its parts, and what was before it; `pieces` are without the overview, in every sheet's order."""

    plan: Plan
    report: Report
    pieces: tuple[Part, ...]
    overview: Part | None
    past: Past = NO_PAST

    @property
    def is_agents(self) -> bool:
        """The pieces are agents; otherwise they are languages."""
        return self.plan.kind is Kind.AGENTS

    @property
    def parts(self) -> tuple[Part, ...]:
        """The overview, if there is one, and the pieces."""
        return self.pieces if self.overview is None else (self.overview, *self.pieces)

    @property
    def total(self) -> int:
        """How many pieces were planned: one that got lost counts as one without a result."""
        return max(self.plan.pieces, len(self.pieces))

    @property
    def completed(self) -> tuple[Part, ...]:
        """The pieces that were judged."""
        return tuple(part for part in self.pieces if part.status is PartStatus.COMPLETED)

    @property
    def scored(self) -> tuple[Part, ...]:
        """The pieces that count in averages and charts: judged, with a score."""
        return tuple(part for part in self.completed if part.score is not None)

    @property
    def failed(self) -> tuple[Part, ...]:
        """All parts without a result, the overview included."""
        return tuple(part for part in self.parts if part.status is not PartStatus.COMPLETED)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that answered, by the names they gave themselves."""
        return tuple(sorted({part.judge.model for part in self.parts if part.judge}))

    @property
    def headline(self) -> float | None:
        """The mean of the scored agents; None where there is none. Added by key, so that the order is no matter."""
        scores = [part.score for part in sorted(self.pieces, key=lambda part: part.key) if is_scored(part)]
        known = [score for score in scores if score is not None]
        return math.fsum(known) / len(known) if known else None

    @property
    def positive(self) -> Share:
        """Positive reviews of the judged languages, by ratings where there are any, else by the judge's reading."""
        shares = [positive_share(part) for part in self.completed]
        rated = [share for share in shares if share.source == RATINGS]
        counted = rated or [share for share in shares if share.of]
        return Share(
            sum(share.positive for share in counted),
            sum(share.of for share in counted),
            f"{counted[0].source if counted else UNKNOWN}, {len(counted)} of {self.total} languages",
        )

    @property
    def coverage(self) -> Coverage:
        """What the judge saw of all evidence."""
        return Coverage(
            total=sum(part.coverage.total for part in self.pieces),
            used=sum(part.coverage.used for part in self.pieces),
            shortened=sum(part.coverage.shortened for part in self.pieces),
        )

    @property
    def text(self) -> OverviewEvaluation | None:
        """What the overview says, if it was judged."""
        if self.overview is None or self.overview.status is not PartStatus.COMPLETED:
            return None
        return self.overview.evaluation if isinstance(self.overview.evaluation, OverviewEvaluation) else None

    @property
    def banner(self) -> Banner:
        """How the report ended. The report's own status is not asked: it is final only when this workbook is stored."""
        done, missing = len(self.completed), self.total - len(self.completed)
        if self.report.ends_as is Status.CANCELLED:
            return Banner("CANCELLED", f"{done} of {self.total} parts had been judged")
        if self.report.ends_as is Status.FAILED or done == 0:
            judged = f"{done} of {self.total} parts were judged" if done else "no part could be judged"
            return Banner("FAILED", f"{self.report.reason}; {judged}" if self.report.reason else judged)
        overview_failed = self.overview is not None and self.overview.status is not PartStatus.COMPLETED
        if missing:
            also = ", and the overview" if overview_failed else ""
            return Banner("PARTIAL", f"{missing} of {self.total} parts failed{also}")
        return Banner("PARTIAL", "the overview failed") if overview_failed else Banner("COMPLETE", "")


RATINGS = "ratings"
READING = "judge's reading"
UNKNOWN = "not known"


def results(plan: Plan, report: Report, parts: Sequence[Part], past: Past = NO_PAST) -> Results:
    """The parts in the reader's order: agents by score, the failed ones last; languages by their number of reviews."""
    pieces = [part for part in parts if part.role is not Role.OVERVIEW]
    by_rank = sorted(pieces, key=_agent_rank if plan.kind is Kind.AGENTS else _language_rank)
    overview = next((part for part in parts if part.role is Role.OVERVIEW), None)
    return Results(plan, report, tuple(by_rank), overview, past)


def is_scored(part: Part) -> bool:
    """It counts in averages and charts."""
    return part.status is PartStatus.COMPLETED and part.score is not None


def positive_share(part: Part) -> Share:
    """Positive reviews of one language, and how they are known."""
    if part.facts.rated:
        return Share(part.facts.positive, part.facts.rated, RATINGS)
    if part.status is PartStatus.COMPLETED and isinstance(part.evaluation, LanguageEvaluation) and part.coverage.used:
        return Share(len(part.evaluation.positive_ids), part.coverage.used, READING)
    return Share(0, 0, UNKNOWN)


def _agent_rank(part: Part) -> tuple[int, float, str]:
    if part.status is not PartStatus.COMPLETED:
        return 2, 0.0, part.key
    return (1, 0.0, part.key) if part.score is None else (0, -part.score, part.key)


def _language_rank(part: Part) -> tuple[int, float, str]:
    return 0, -float(part.facts.rows), part.key
