"""The sheet `Comparison`, where one was asked for: the report and its baseline part by part, and what may be chance."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from services.renderer.cells import CellValue
from services.renderer.layout import words
from services.renderer.layout.comparing import Comparison, Pair, Rates, Verdict, compare, measured, moved
from services.renderer.layout.places import COMPARISON, Places
from services.renderer.layout.results import Results
from services.renderer.layout.values import Column, Format, Row, Sheet, Tone, table_sheet, text
from services.renderer.significance import CONFIDENCE, LEAST_OF, LEAST_PAIRS, LEAST_TRIALS, Interval
from shared.evaluations import LanguageEvaluation, Part
from shared.vocabulary import PartStatus

NOT_ENOUGH = "not enough data"
NO_BASELINE = "There was no earlier completed report of the same kind, subject and owner: this is the first."
NO_BASELINE_WIDTH = 120.0
TONES = {
    Verdict.IMPROVED: Tone.GOOD,
    Verdict.REGRESSED: Tone.BAD,
    Verdict.UNCHANGED: Tone.MUTED,
    Verdict.ADDED: Tone.PLAIN,
    Verdict.REMOVED: Tone.PLAIN,
}
FAILED = (Verdict.FAILED_NOW, Verdict.FAILED_THEN, Verdict.FAILED_BOTH, Verdict.UNSCORED)

PairColumns = tuple[Column[Pair], ...]


class Said(NamedTuple):
    """A line above the table."""

    words: str
    tone: Tone = Tone.PLAIN


def comparison_sheets(results: Results, places: Places) -> tuple[Sheet, ...]:
    """The sheet; none where no baseline was asked for."""
    if results.plan.options.baseline is None:
        return ()
    title = Said("Comparison", Tone.TITLE)
    if results.plan.baseline is None:
        rows = (_row(title), _row(Said(NO_BASELINE)))
        return (Sheet(COMPARISON, rows, (NO_BASELINE_WIDTH,)),)
    found = compare(results, results.plan.baseline)
    above = (*map(_row, (title, *_said(results, found))), ())
    columns = (_name(places), *(AGENT if results.is_agents else LANGUAGE))
    wide = range(2, len(above))
    regressed = Tone.WARNING if found.count(Verdict.REGRESSED) or found.flags else Tone.PLAIN
    return (
        table_sheet(COMPARISON, columns, found.pairs, above=above, frozen_columns=1, wide_rows=wide, tone=regressed),
    )


def _row(said: Said) -> Row:
    return (text(said.words, said.tone, in_table=False),)


def _said(results: Results, found: Comparison) -> Iterator[Said]:
    """What holds for the whole: with what it is compared, what differs, how many moved, and what may be chance."""
    baseline = found.baseline
    until = f", data as of {baseline.period.to:%Y-%m-%d %H:%M} UTC" if baseline.period.to else ""
    yield Said(
        f"Then: {baseline.title} ({baseline.report_id}, generation {baseline.generation}){until}. Now: this report."
    )
    for flag in found.flags:
        yield Said(flag, Tone.WARNING)
    if otherwise := found.count(Verdict.OTHERWISE):
        yield Said(
            f"{otherwise} of {len(found.pairs)} parts were judged otherwise then: they count neither as improved nor "
            "as regressed; the column Differs says why.",
            Tone.WARNING,
        )
    yield Said(_counts(found), Tone.LABEL)
    if results.is_agents:
        yield Said(_scores(found))
    yield Said(_rates("Successful runs" if results.is_agents else "Positive reviews", found.rates))
    trials = f" Scores have one from {LEAST_TRIALS} judgements each time on." if results.is_agents else ""
    yield Said(
        f"Single parts: from {LEAST_OF} counted each time on there is a {CONFIDENCE:.0%} interval; one in twenty lies "
        f"beyond chance by chance.{trials}",
        Tone.MUTED,
    )


def _counts(found: Comparison) -> str:
    unpaired = found.count(Verdict.ADDED, Verdict.REMOVED)
    return (
        f"{found.count(Verdict.IMPROVED)} improved, {found.count(Verdict.REGRESSED)} regressed, "
        f"{found.count(Verdict.UNCHANGED)} unchanged, {found.count(*FAILED)} without a result then or now, "
        f"{unpaired} in one of the reports only"
    )


def _scores(found: Comparison) -> str:
    """The mean of the pairs, and whether they moved together."""
    if found.means is None:
        return "Scores: no part has one then and now that were judged alike."
    then, now = found.means
    pairs = len(found.counted)
    mean = (
        f"Mean score of {pairs} {'pair' if pairs == 1 else 'pairs'}: {then:.2f} then, {now:.2f} now, {now - then:+.2f}"
    )
    if found.by_chance is None:
        return f"{mean}; {NOT_ENOUGH} to tell it from chance (Wilcoxon's test takes {LEAST_PAIRS} pairs that moved)."
    beyond = "beyond" if found.by_chance <= 1 - CONFIDENCE else "within"
    return f"{mean}; {beyond} chance (Wilcoxon's signed-rank test, two-sided, p = {found.by_chance:.3g})."


def _rates(what: str, rates: Rates | None) -> str:
    if rates is None:
        return f"{what}: not counted both times."
    then, now = rates
    counts = (
        f"{then.positive:,} of {then.of:,} then, {now.positive:,} of {now.of:,} now, {rates.change * 100:+.1f} points"
    )
    if rates.interval is None:
        return f"{what}: {counts}; {NOT_ENOUGH} for an interval ({LEAST_OF} each time are needed)."
    low, high = rates.interval
    within = f"{CONFIDENCE:.0%} interval {low * 100:+.1f} to {high * 100:+.1f} points (Newcombe)"
    return f"{what}: {counts}; {_chance(rates.interval)}, {within}."


def _chance(interval: Interval) -> str:
    return "beyond chance" if interval.is_beyond_chance else "within chance"


def _name(places: Places) -> Column[Pair]:
    def link(pair: Pair) -> str | None:
        return places.details[pair.now.part_id].address if pair.now else None

    return Column(
        "Part",
        lambda pair: words.name(pair.part),
        tone=lambda pair: Tone.LINK if pair.now else Tone.PLAIN,
        link=link,
        widest=32,
    )


def _number(side: Callable[[Pair], Part | None], missing: str) -> Callable[[Pair], CellValue]:
    """The number of one side, or the words that say why there is none."""

    def value(pair: Pair) -> CellValue:
        part = side(pair)
        if part is None:
            return missing
        if part.status is not PartStatus.COMPLETED:
            return words.outcome(part)
        number = measured(part)
        return words.NOT_SCORED if number is None else number

    return value


def _change(pair: Pair) -> CellValue:
    return words.NONE if pair.change is None else pair.change


def _moved(pair: Pair) -> CellValue:
    return ", ".join(f"{name} {change:+.1f}" for name, change in moved(pair)) or words.NONE


def _share(side: Callable[[Rates], float]) -> Callable[[Pair], CellValue]:
    return lambda pair: side(pair.rates) if pair.rates else words.NONE


def _bound(side: Callable[[Interval], float], of: Callable[[Pair], Interval | None]) -> Callable[[Pair], CellValue]:
    return lambda pair: side(interval) if (interval := of(pair)) else words.NONE


def _reading(pair: Pair) -> CellValue:
    if pair.rates is None:
        return words.NONE
    return _chance(pair.interval) if pair.interval else NOT_ENOUGH


def _score_reading(pair: Pair) -> CellValue:
    if not pair.is_counted:
        return words.NONE
    return _chance(pair.of_trials) if pair.of_trials else NOT_ENOUGH


def _sentiment(part: Part | None) -> CellValue:
    judged = part is not None and part.status is PartStatus.COMPLETED
    found = part.evaluation if part is not None and judged else None
    return str(found.sentiment) if isinstance(found, LanguageEvaluation) else words.NONE


def _numbers(what: str, shown: Format, change: Format) -> PairColumns:
    return (
        Column("Verdict", lambda pair: str(pair.verdict), tone=lambda pair: TONES.get(pair.verdict, Tone.WARNING)),
        Column(f"{what} then", _number(lambda pair: pair.then, "not in it"), shown, widest=26),
        Column(f"{what} now", _number(lambda pair: pair.now, "not in it"), shown, widest=26),
        Column("Change", _change, change),
    )


def _interval(
    of: str, reading: Callable[[Pair], CellValue], interval: Callable[[Pair], Interval | None]
) -> PairColumns:
    """Whether a change may be chance, and from where to where it lies."""
    shown = Format.CHANGE if of == "Score" else Format.POINTS
    return (
        Column(f"{of}: chance", reading),
        Column(f"{of} change from", _bound(lambda found: found.low, interval), shown),
        Column(f"{of} change to", _bound(lambda found: found.high, interval), shown),
    )


DIFFERS: PairColumns = (Column("Differs", lambda pair: "; ".join(pair.differs) or words.NONE, widest=56),)
AGENT: PairColumns = (
    Column("ID", lambda pair: pair.part.key, Format.ID, widest=24),
    *_numbers("Score", Format.SCORE, Format.CHANGE),
    *_interval("Score", _score_reading, lambda pair: pair.of_trials),
    Column("Criteria", _moved, widest=44),
    Column("Success rate then", _share(lambda rates: rates.then.positive / rates.then.of), Format.PERCENT),
    Column("Success rate now", _share(lambda rates: rates.now.positive / rates.now.of), Format.PERCENT),
    Column("Rate change", _share(lambda rates: rates.change), Format.POINTS),
    *_interval("Rate", _reading, lambda pair: pair.interval),
    *DIFFERS,
)
LANGUAGE: PairColumns = (
    *_numbers("% positive", Format.PERCENT, Format.POINTS),
    *_interval("Share", _reading, lambda pair: pair.interval),
    Column("Reviews then", _share(lambda rates: rates.then.of), Format.COUNT),
    Column("Reviews now", _share(lambda rates: rates.now.of), Format.COUNT),
    Column("Sentiment then", lambda pair: _sentiment(pair.then)),
    Column("Sentiment now", lambda pair: _sentiment(pair.now)),
    *DIFFERS,
)
