"""The sheet `Summary`: how the report ended, what it says, its key figures, and a chart of what was judged."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.renderer.cells import CellValue, reference
from services.renderer.layout import prose, words
from services.renderer.layout.places import COMPARISON, FAILURES, SUMMARY, Places
from services.renderer.layout.results import Results, positive_share
from services.renderer.layout.values import (
    LINE_POINTS,
    MAX_LINES,
    TITLE_POINTS,
    Cell,
    Chart,
    Format,
    Look,
    Row,
    Sheet,
    Tone,
    number,
    text,
)
from shared.evaluations import Part
from shared.vocabulary import Kind, PartStatus

WIDTHS = (26.0, 22.0, 34.0, 78.0)
MAX_BARS = 40
BAR_CM = 0.55
FRAME_CM = 3.0
KINDS = {Kind.AGENTS: "AI agents, judged on their runs", Kind.REVIEWS: "User reviews, by language"}
BANNER_TONES = {"COMPLETE": Tone.GOOD, "PARTIAL": Tone.WARNING, "CANCELLED": Tone.WARNING, "FAILED": Tone.BAD}


class Bars(NamedTuple):
    """What the chart shows, in its order: parts that count, and a title that says how many do not."""

    title: str
    parts: tuple[Part, ...]


def summary_sheet(results: Results, places: Places) -> Sheet:
    """One page that can be read alone."""
    banner = results.banner
    head: list[Row] = [
        (text(title(results), Tone.TITLE, in_table=False),),
        (text(banner.text, BANNER_TONES[banner.word], in_table=False),),
        (),
        (text("Executive summary", Tone.HEADING, in_table=False),),
        (text(_executive_summary(results)),),
        (),
    ]
    facts = [*_facts(results), *_links(results, places)]
    shown = bars(results)
    table = _chart_rows(results, shown, places)
    header_row = len(head) + len(facts) + 2
    summary_lines = prose.lines(_executive_summary(results), sum(WIDTHS))
    return Sheet(
        name=SUMMARY,
        rows=(*head, *facts, (), *table),
        widths=WIDTHS,
        heights={1: TITLE_POINTS, 2: LINE_POINTS * 1.5, 5: (min(summary_lines, MAX_LINES) + 1) * LINE_POINTS},
        wide_rows=(1, 2, 5),
        one_page=len(shown.parts) < MAX_BARS,
        charts=(_chart(results, shown, len(head) + 1, header_row),) if shown.parts else (),
        tone=BANNER_TONES[banner.word],
    )


def title(results: Results) -> str:
    """The report's title; without one, what it is about."""
    return results.plan.title or f"{'Agents of' if results.is_agents else 'Reviews of'} {results.plan.subject}"


def bars(results: Results) -> Bars:
    """The parts in the chart: the lowest scores, or the languages with most reviews, where there are too many."""
    if results.is_agents:
        parts = results.scored
        known = f"{len(parts)} of {results.total} scored"
        lowest = f"The {MAX_BARS} lowest scores" if len(parts) > MAX_BARS else "Scores"
        return Bars(f"{lowest} ({known})", parts[-MAX_BARS:])
    parts = tuple(part for part in results.completed if positive_share(part).of)
    known = f"{len(parts)} of {results.total} languages"
    most = f" in the {MAX_BARS} largest" if len(parts) > MAX_BARS else ""
    return Bars(f"Positive reviews{most} ({known})", parts[:MAX_BARS])


def _executive_summary(results: Results) -> str:
    if results.text:
        return prose.plain_text(results.text.executive_summary)
    if results.overview is None:
        return "There is no overview of this report. What was judged stands on its own."
    why = words.outcome(results.overview)
    what_to_do = f" {results.overview.reason.what_to_do}" if results.overview.reason else ""
    return f"There is no executive summary: the overview has no result ({why}).{what_to_do}"


def _fact(label: str, value: Cell, note: str = "") -> Row:
    return (
        text(label, Tone.LABEL, in_table=False),
        Cell(value.value, value.look._replace(in_table=False)),
        _note(note),
    )


def _note(words_: str) -> Cell:
    return text(words_ or None, Tone.MUTED, in_table=False)


def _facts(results: Results) -> Iterator[Row]:
    plan, report = results.plan, results.report
    yield _fact("Kind", text(KINDS[plan.kind]))
    yield _fact("Subject", text(plan.subject))
    start, end = plan.period.from_, plan.period.to
    yield _fact("Period from (UTC)", number(start or "the beginning", Format.TIME, Tone.PLAIN))
    yield _fact("Data as of (UTC)", number(end or plan.accepted_at, Format.TIME), "the end of the period, exclusive")
    yield _fact("Generated (UTC)", number(report.evaluated_at or plan.planned_at, Format.TIME), "the last outcome")
    asked = f"asked for {plan.options.judge_model}, prompt version {plan.prompt_version}"
    yield _fact("Judge model", text(", ".join(results.models) or words.NONE), asked)
    yield from _counts(results)
    yield from _scores(results) if results.is_agents else _positive(results)
    rows = "runs" if results.is_agents else "reviews"
    coverage = results.coverage
    cut = f", {coverage.shortened:,} shortened" if coverage.shortened else ""
    yield _fact("Evidence judged", number(coverage.used, Format.COUNT), f"of {coverage.total:,} {rows}{cut}")
    cached = f"{report.cached_tokens:,} of them cached" if report.cached_tokens else ""
    yield _fact("Input tokens", number(report.input_tokens, Format.COUNT), cached)
    thought = f"{report.reasoning_tokens:,} of them reasoning" if report.reasoning_tokens else ""
    yield _fact("Output tokens", number(report.output_tokens, Format.COUNT), thought)
    yield _fact("Judge cost (USD)", number(words.report_cost(report), Format.MONEY), report.exhausted)
    if results.is_agents:
        own = number(words.own_cost(results.pieces), Format.MONEY)
        yield _fact("Agents' own cost (USD)", own, "of the runs that were read, by their own account")


def _counts(results: Results) -> Iterator[Row]:
    pieces, judged = ("Agents", "Judged") if results.is_agents else ("Languages", "Judged")
    statuses = [part.status for part in results.pieces]
    yield _fact(pieces, number(results.total, Format.COUNT))
    yield _fact(f"  {judged}", number(len(results.completed), Format.COUNT), f"of {results.total}")
    if results.is_agents:
        verdicts = [words.verdict(part) for part in results.completed]
        yield _fact("  Passed", number(verdicts.count("passed"), Format.COUNT), "every criterion at its threshold")
        yield _fact("  Not passed", number(verdicts.count("not passed"), Format.COUNT))
        if unscored := verdicts.count("unscored"):
            yield _fact("  Unscored", number(unscored, Format.COUNT), "a criterion could not be judged")
    errored = statuses.count(PartStatus.ERRORED)
    label, count, _ = _fact("  Errored", _alarm(errored))
    yield label, count, _see_failures() if errored else _note("")
    yield _fact("  Cancelled", _alarm(statuses.count(PartStatus.CANCELLED)))
    known = len(results.completed) + statuses.count(PartStatus.ERRORED) + statuses.count(PartStatus.CANCELLED)
    if missing := results.total - known:
        yield _fact("  Without outcome", _alarm(missing))
    if results.overview:
        yield _fact("Overview", text(words.outcome(results.overview), words.tone(results.overview)))


def _see_failures() -> Cell:
    return text(f"see {FAILURES}", Tone.LINK, in_table=False, link=reference(FAILURES))


def _alarm(count: int) -> Cell:
    return number(count, Format.COUNT, Tone.BAD if count else Tone.PLAIN)


def _scores(results: Results) -> Iterator[Row]:
    score: CellValue = words.NOT_SCORED if results.headline is None else results.headline
    yield _fact(
        "Overall score", number(score, Format.SCORE), f"mean of {len(results.scored)} of {results.total}, 0 to 10"
    )
    if results.text is None or results.overview is None:
        yield _fact("Team criteria", number(words.NOT_SCORED, Format.SCORE), "the overview has no result")
        return
    by_name = {scored.name: scored for scored in results.text.criteria}
    for criterion in results.overview.criteria:
        scored = by_name.get(criterion.name)
        value: CellValue = scored.score if scored and scored.score is not None else "not judged"
        note = f"{words.criterion_verdict(criterion, scored)}, threshold {criterion.threshold:g}"
        yield _fact(f"Team criteria: {criterion.name}", number(value, Format.SCORE), note)


def _positive(results: Results) -> Iterator[Row]:
    share = results.positive
    value: CellValue = words.NOT_KNOWN if share.fraction is None else share.fraction
    yield _fact("% positive", number(value, Format.PERCENT), share.source)


def _links(results: Results, places: Places) -> Iterator[Row]:
    label = text("Go to", Tone.LABEL, in_table=False)
    parts = text(places.parts, Tone.LINK, in_table=False, link=reference(places.parts))
    yield label, parts, text(FAILURES, Tone.LINK, in_table=False, link=reference(FAILURES))
    if results.overview:
        address = places.details[results.overview.part_id].address
        yield _note(""), text("Overview in full", Tone.LINK, in_table=False, link=address)
    if results.plan.options.baseline:
        yield _note(""), text(COMPARISON, Tone.LINK, in_table=False, link=reference(COMPARISON))


def _chart_rows(results: Results, shown: Bars, places: Places) -> Iterator[Row]:
    """The table behind the chart: what is in no bar is said below it."""
    names = ("Agent", "Score", "Verdict") if results.is_agents else ("Language", "% positive", "Source of %")
    shown_as = Format.SCORE if results.is_agents else Format.PERCENT
    if shown.parts:
        first, second, third = names
        header = Look(Format.TEXT, Tone.HEADER)
        yield Cell(first, header), Cell(second, Look(shown_as, Tone.HEADER)), Cell(third, header)
    for part in shown.parts:
        name = text(words.name(part), Tone.LINK, link=places.details[part.part_id].address)
        yield name, *_bar(part, results, shown_as)
    if left_out := results.total - len(results.scored if results.is_agents else shown.parts):
        why = _unscored(results) if results.is_agents else "not in the chart: failed, or nothing is known"
        yield (text(f"{left_out} of {results.total} {why}", Tone.MUTED, in_table=False),)


def _unscored(results: Results) -> str:
    """Why agents have no bar: what failed is on its sheet, what could not be judged in its detail."""
    unjudged = len(results.completed) - len(results.scored)
    failed = results.total - len(results.completed)
    why = (f"{failed} failed, see {FAILURES}" if failed else "", f"{unjudged} not judged in full" if unjudged else "")
    return f"not scored: {', '.join(filter(None, why))}"


def _bar(part: Part, results: Results, shown_as: Format) -> Sequence[Cell]:
    if results.is_agents:
        verdict = words.verdict(part)
        return number(words.score(part), shown_as), text(verdict, words.verdict_tone(verdict))
    share = positive_share(part)
    return number(words.rate(share.positive, share.of), shown_as), text(share.source, Tone.MUTED)


def _chart(results: Results, shown: Bars, anchor_row: int, header_row: int) -> Chart:
    return Chart(
        title=shown.title,
        shape="bars",
        anchor=f"D{anchor_row}",
        header_row=header_row,
        first_row=header_row + 1,
        last_row=header_row + len(shown.parts),
        names=1,
        values=(2,),
        format=Format.COUNT if results.is_agents else Format.SHARE,
        maximum=10.0 if results.is_agents else 1.0,
        height_cm=FRAME_CM + BAR_CM * len(shown.parts),
    )
