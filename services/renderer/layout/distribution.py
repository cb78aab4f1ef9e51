"""The sheet `Distribution`: how the scores spread (agents), or how each language's reviews were read (reviews)."""

from typing import NamedTuple

from services.renderer.cells import CellValue
from services.renderer.layout import words
from services.renderer.layout.places import DISTRIBUTION
from services.renderer.layout.results import Results
from services.renderer.layout.theme import SENTIMENTS
from services.renderer.layout.values import Chart, Column, Format, Row, Sheet, Tone, table_sheet, text
from shared.evaluations import LanguageEvaluation, Part
from shared.vocabulary import PartStatus

BINS = 10
BAR_CM = 0.65
FRAME_CM = 4.5


class Bin(NamedTuple):
    """Scores from `low` up to, but not including, the next bin's; the last includes 10."""

    low: int
    agents: int
    of: int


class Reading(NamedTuple):
    """The reviews of a language as the judge read them; None where it did not."""

    part: Part
    sentiment: str = words.NONE
    judged: int | None = None
    positive: int | None = None
    neutral: int | None = None
    mixed: int | None = None
    negative: int | None = None


def distribution_sheet(results: Results) -> Sheet:
    """The histogram, with a chart that leaves failed parts out and says so."""
    return _scores(results) if results.is_agents else _sentiment(results)


def bins(results: Results) -> tuple[Bin, ...]:
    """How many scored agents are in each range of scores."""
    scored = results.scored
    places = [min(int(part.score), BINS - 1) for part in scored if part.score is not None]
    return tuple(Bin(low, places.count(low), len(scored)) for low in range(BINS))


def readings(results: Results) -> tuple[Reading, ...]:
    """The judged languages first, so that a chart can take them alone."""
    return tuple(sorted(map(_reading, results.pieces), key=lambda reading: reading.positive is None))


def _scores(results: Results) -> Sheet:
    left_out = results.total - len(results.scored)
    below: tuple[Row, ...] = (
        (),
        (text(f"Not scored, and in no bar: {left_out} of {results.total} agents.", Tone.MUTED, in_table=False),),
    )
    chart = Chart(
        title=f"Agents by score ({len(results.scored)} of {results.total} scored)",
        shape="columns",
        anchor="E1",
        header_row=1,
        first_row=2,
        last_row=BINS + 1,
        names=1,
        values=(2,),
        format=Format.COUNT,
        axis="agents",
    )
    return table_sheet(DISTRIBUTION, BIN_COLUMNS, bins(results), below=below, charts=(chart,))


def _sentiment(results: Results) -> Sheet:
    rows = readings(results)
    judged = sum(reading.positive is not None for reading in rows)
    chart = Chart(
        title=f"How reviews were read ({judged} of {results.total} languages)",
        shape="stacked",
        anchor="J1",
        header_row=1,
        first_row=2,
        last_row=judged + 1,
        names=1,
        values=(5, 6, 7, 8),
        format=Format.SHARE,
        colours=SENTIMENTS,
        height_cm=FRAME_CM + BAR_CM * min(judged, 50),
    )
    return table_sheet(DISTRIBUTION, READING_COLUMNS, rows, charts=(chart,) if judged else ())


def _reading(part: Part) -> Reading:
    """What is in none of the judge's lists was read as neutral."""
    found = part.evaluation
    if part.status is not PartStatus.COMPLETED or not isinstance(found, LanguageEvaluation):
        return Reading(part)
    positive, mixed, negative = len(found.positive_ids), len(found.mixed_ids), len(found.negative_ids)
    neutral = max(0, part.coverage.used - positive - mixed - negative)
    return Reading(part, found.sentiment, part.coverage.used, positive, neutral, mixed, negative)


def _read(count: int | None) -> CellValue:
    return words.NONE if count is None else count


BIN_COLUMNS: tuple[Column[Bin], ...] = (
    Column("Score", lambda row: f"{row.low} to {row.low + 1}"),
    Column("Agents", lambda row: row.agents, Format.COUNT),
    Column("Share of scored", lambda row: words.rate(row.agents, row.of), Format.PERCENT, deepest=1),
)

READING_COLUMNS: tuple[Column[Reading], ...] = (
    Column("Language", lambda row: words.name(row.part)),
    Column("Status", lambda row: words.outcome(row.part), tone=lambda row: words.tone(row.part)),
    Column("Sentiment", lambda row: row.sentiment),
    Column("Reviews judged", lambda row: _read(row.judged), Format.COUNT),
    Column("Positive", lambda row: _read(row.positive), Format.COUNT),
    Column("Neutral", lambda row: _read(row.neutral), Format.COUNT),
    Column("Mixed", lambda row: _read(row.mixed), Format.COUNT),
    Column("Negative", lambda row: _read(row.negative), Format.COUNT),
)
