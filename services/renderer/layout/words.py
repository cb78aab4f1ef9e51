"""How values are said in words: statuses, verdicts, reasons, costs, coverage; the same on every sheet."""

from collections.abc import Iterable
from math import fsum

from services.renderer.cells import CellValue
from services.renderer.layout.languages import language_name
from services.renderer.layout.values import Tone
from shared.evaluations import Coverage, Criterion, CriterionScore, Part
from shared.state import Report
from shared.vocabulary import PartStatus, Reason, Role

NONE = "—"
NOT_SCORED = "not scored"
NOT_KNOWN = "not known"
JUDGED_BEFORE = "judged before"
UNPRICED = "unpriced"
NANO = 1_000_000_000


def name(part: Part) -> str:
    """What the reader calls the part."""
    if part.role is Role.OVERVIEW:
        return "Overview"
    return language_name(part.key) if part.role is Role.LANGUAGE else part.name or part.key


def reason(value: Reason | None) -> str:
    """Why a part failed, as words."""
    return value.replace("_", " ") if value else NONE


def outcome(part: Part) -> str:
    """The status, with the reason where there is one: a failed part never looks like an empty one."""
    if part.status is PartStatus.COMPLETED or part.reason is None:
        return str(part.status)
    return f"{part.status}: {reason(part.reason)}"


def score(part: Part) -> CellValue:
    """The score, or the words that say there is none."""
    return part.score if part.status is PartStatus.COMPLETED and part.score is not None else NOT_SCORED


def verdict(part: Part) -> str:
    """Passed or not; unscored where a criterion could not be judged."""
    if part.status is not PartStatus.COMPLETED:
        return NONE
    return "unscored" if part.passed is None else "passed" if part.passed else "not passed"


def criterion_verdict(criterion: Criterion, scored: CriterionScore | None) -> str:
    """Passed at or above the threshold."""
    if scored is None or scored.score is None:
        return "not judged"
    return "passed" if scored.score >= criterion.threshold else "not passed"


def tone(part: Part) -> Tone:
    """The colour that goes with the outcome."""
    return STATUS_TONES.get(part.status, Tone.WARNING)


def verdict_tone(words: str) -> Tone:
    """The colour that goes with a verdict."""
    return _VERDICT_TONES.get(words, Tone.MUTED)


def rate(count: int, of: int) -> CellValue:
    """A fraction, or the words that say nothing was counted."""
    return count / of if of else NOT_KNOWN


def tokens(part: Part, count: int) -> CellValue:
    """Tokens as the judge's API counted them; where it said nothing, that is no zero."""
    return count if _has_usage(part) else _no_usage(part)


def cost(part: Part) -> CellValue:
    """US dollars; a model without a price says so, and a part without calls has no cost to speak of."""
    if _is_recalled(part):
        return JUDGED_BEFORE
    if part.usage.cost_usd is not None:
        return part.usage.cost_usd
    return UNPRICED if _has_usage(part) else _no_usage(part)


def _has_usage(part: Part) -> bool:
    return part.usage.input_tokens + part.usage.output_tokens > 0


def _no_usage(part: Part) -> str:
    if _is_recalled(part):
        return JUDGED_BEFORE
    return "not reported" if part.attempts else "no calls"


def _is_recalled(part: Part) -> bool:
    """What was judged before costs nothing now, which is not the same as a price of zero."""
    return part.saved is not None and part.status is PartStatus.COMPLETED


def saved(report: Report) -> str:
    """What was not paid for again."""
    tokens = f"{report.saved_input_tokens:,} tokens in, {report.saved_output_tokens:,} out"
    dollars = UNPRICED if report.saved_unpriced else f"{report.saved_cost_nano / NANO:,.4f} USD"
    return f"{dollars} ({tokens}); parts judged before: {report.recalled:,}"


def own_cost(parts: Iterable[Part]) -> CellValue:
    """What the runs that were judged cost by their own account, in US dollars; not the judge's cost."""
    known = [part.facts.cost_usd for part in parts if part.facts.cost_usd is not None]
    return fsum(known) if known else NOT_KNOWN


def report_cost(report: Report) -> CellValue:
    """US dollars over all generations; a sum that lacks a price is a lower bound and says so."""
    if not report.unpriced:
        return report.cost_nano / NANO
    return f"at least ${report.cost_nano / NANO:,.4f}; the rest is {UNPRICED}" if report.cost_nano else UNPRICED


def coverage(value: Coverage, rows: str) -> str:
    """How much of the evidence the judge saw."""
    cut = f", {value.shortened:,} of them shortened" if value.shortened else ""
    return f"{value.used:,} of {value.total:,} {rows}{cut}"


STATUS_TONES = {
    PartStatus.COMPLETED: Tone.PLAIN,  # what is as it should be does not ask to be looked at
    PartStatus.ERRORED: Tone.BAD,
    PartStatus.CANCELLED: Tone.WARNING,
}
_VERDICT_TONES = {"passed": Tone.GOOD, "not passed": Tone.BAD, "unscored": Tone.WARNING}
