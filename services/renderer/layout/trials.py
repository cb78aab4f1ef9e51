"""Columns for parts that were judged several times: how many judgements there were, and how far they lie apart."""

from services.renderer.cells import CellValue
from services.renderer.layout import words
from services.renderer.layout.values import Column, Format
from shared.evaluations import Part, Trials
from shared.vocabulary import PartStatus


def trial_columns(parts: tuple[Part, ...]) -> tuple[Column[Part], ...]:
    """None where every part was judged once."""
    if not any(part.trials for part in parts):
        return ()
    return (
        Column("Judgements", _judgements),
        Column("Spread (sd)", _deviation, Format.SCORE),
        Column("Range or agreement", _range),
    )


def _trials(part: Part) -> Trials | None:
    return part.trials if part.status is PartStatus.COMPLETED else None


def _judgements(part: Part) -> str:
    trials = _trials(part)
    return f"{trials.judged} of {trials.asked}" if trials else words.NONE


def _deviation(part: Part) -> CellValue:
    trials = _trials(part)
    if trials is None or trials.score is None:
        return words.NONE
    return words.NOT_KNOWN if trials.score.deviation is None else trials.score.deviation


def _range(part: Part) -> str:
    trials = _trials(part)
    if trials is None:
        return words.NONE
    if trials.agreement is not None:
        return f"{trials.agreement:.0%} found this sentiment"
    if trials.score is None or trials.score.lowest is None or trials.score.highest is None:
        return words.NOT_KNOWN
    return f"{trials.score.lowest:.2f} to {trials.score.highest:.2f}"
