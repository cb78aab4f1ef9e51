"""The detail of a part: every word of its evaluation as rows of one table, on its own sheet or on a long one."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.renderer.cells import CellValue, reference
from services.renderer.layout import prose, words
from services.renderer.layout.languages import language_name
from services.renderer.layout.places import DETAILS, Places
from services.renderer.layout.results import Results, positive_share
from services.renderer.layout.values import Column, Format, Row, Sheet, Tone, table_sheet, text
from shared.evaluations import (
    AgentEvaluation,
    CriterionScore,
    LanguageEvaluation,
    OverviewEvaluation,
    Part,
    Theme,
)
from shared.vocabulary import PartStatus, Role


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing said of a part. What does not apply to it is None."""

    part: Part
    section: str
    text: str
    item: CellValue = None
    score: CellValue = None
    threshold: CellValue = None
    weight: CellValue = None
    verdict: str | None = None
    evidence: str | None = None
    mentions: CellValue = None


def entries(part: Part) -> tuple[Entry, ...]:
    """All that is said of a part: its evaluation, or why there is none."""
    if part.status is not PartStatus.COMPLETED:
        return (_failure(part),)
    match part.evaluation:
        case AgentEvaluation() as agent:
            return (*_criteria(part, agent.criteria), *_agent(part, agent))
        case LanguageEvaluation() as language:
            return tuple(_language(part, language))
        case OverviewEvaluation() as overview:
            return (*_overview(part, overview), *_criteria(part, overview.criteria))
        case None:
            return (Entry(part, "Result", "The evaluation is not stored."),)


def detail_sheets(results: Results, places: Places) -> tuple[Sheet, ...]:
    """One sheet for each part, or one for all where there are too many."""
    if places.one_sheet_each:
        return tuple(_sheet(results, places, part) for part in results.parts)
    linked: Column[Entry] = Column(
        "Part",
        lambda entry: words.name(entry.part),
        tone=lambda _: Tone.LINK,
        link=lambda entry: places.rows[entry.part.part_id].address,
    )
    said = (entry for part in results.parts for entry in entries(part))
    return (table_sheet(DETAILS, (linked, *_columns(results)), said),)


def _columns(results: Results) -> tuple[Column[Entry], ...]:
    return AGENT_COLUMNS if results.is_agents else LANGUAGE_COLUMNS


def _section_tone(entry: Entry) -> Tone:
    return words.tone(entry.part) if entry.section == FAILURE else Tone.LABEL


FAILURE = "Failure"

AGENT_COLUMNS: tuple[Column[Entry], ...] = (
    Column("Section", lambda entry: entry.section, tone=_section_tone),
    Column("Item", lambda entry: entry.item, widest=28),
    Column("Score", lambda entry: entry.score, Format.SCORE, deepest=10),
    Column("Threshold", lambda entry: entry.threshold, Format.SCORE),
    Column("Weight", lambda entry: entry.weight, Format.PERCENT),
    Column("Verdict", lambda entry: entry.verdict, tone=lambda entry: words.verdict_tone(entry.verdict or "")),
    Column("Text", lambda entry: entry.text, widest=80),
    Column("Evidence", lambda entry: entry.evidence, widest=30),
)

LANGUAGE_COLUMNS: tuple[Column[Entry], ...] = (
    Column("Section", lambda entry: entry.section, tone=_section_tone),
    Column("Item", lambda entry: entry.item, widest=28),
    Column("Mentions", lambda entry: entry.mentions, Format.COUNT),
    Column("Text", lambda entry: entry.text, widest=90),
    Column("Evidence", lambda entry: entry.evidence, widest=40),
)


def _sheet(results: Results, places: Places, part: Part) -> Sheet:
    said = entries(part)
    runs_right_to_left = prose.runs_right_to_left("\n".join(entry.text for entry in said))
    home = places.rows[part.part_id]
    above: list[Row] = [
        (text(words.name(part), Tone.TITLE, in_table=False),),
        (text(f"Back to {home.sheet}", Tone.LINK, in_table=False, link=reference(home.sheet, home.row)),),
        (text(_standing(results, part), Tone.MUTED, in_table=False),),
    ]
    if part.description:
        above.append((text(prose.shortened(" ".join(part.description.split()), 200), Tone.MUTED, in_table=False),))
    return table_sheet(
        places.details[part.part_id].sheet,
        _columns(results),
        said,
        above=(*above, ()),
        wide_rows=range(1, len(above) + 1) if runs_right_to_left else (),  # they would run out of the sheet
        right_to_left=runs_right_to_left,
        tone=Tone.PLAIN if part.status is PartStatus.COMPLETED else Tone.BAD,
    )


def _standing(results: Results, part: Part) -> str:
    """How the part came out, in a line."""
    facts = [words.outcome(part)]
    if part.role is Role.AGENT:
        shown = words.score(part)
        facts += [f"score {shown:.2f}" if isinstance(shown, float) else str(shown), words.verdict(part)]
    if part.role is not Role.OVERVIEW:
        facts.append(f"judged on {words.coverage(part.coverage, 'runs' if results.is_agents else 'reviews')}")
    if part.judge:
        facts.append(f"judge {part.judge.model}")
    facts.append(f"{part.attempts} {'attempt' if part.attempts == 1 else 'attempts'}, {part.seconds:,.1f} s")
    return "  ·  ".join(fact for fact in facts if fact != words.NONE)


def _failure(part: Part) -> Entry:
    what_to_do = f"What to do: {part.reason.what_to_do}" if part.reason else ""
    said = "\n".join(line for line in (part.detail, what_to_do) if line) or "No outcome has arrived."
    shown = words.NOT_SCORED if part.role is not Role.LANGUAGE else None
    return Entry(part, FAILURE, said, item=words.outcome(part), score=shown)


def _criteria(part: Part, scores: tuple[CriterionScore, ...]) -> Iterator[Entry]:
    """The criteria asked for, in their order; a score for one that was not asked for counts nowhere."""
    by_name = {scored.name: scored for scored in scores}
    total = sum(criterion.weight for criterion in part.criteria)
    for criterion in part.criteria:
        scored = by_name.get(criterion.name)
        yield Entry(
            part,
            "Criterion",
            prose.plain_text(scored.reasoning) if scored else "The judge did not answer to this criterion.",
            item=criterion.name,
            score=scored.score if scored and scored.score is not None else "not judged",
            threshold=criterion.threshold,
            weight=criterion.weight / total if total else words.NONE,
            verdict=words.criterion_verdict(criterion, scored),
            evidence=", ".join(scored.evidence_ids) if scored else None,
        )


def _points(part: Part, section: str, points: tuple[str, ...]) -> Iterator[Entry]:
    for number, point in enumerate(points, 1):
        yield Entry(part, section, prose.plain_text(point), item=str(number))


def _themes(part: Part, section: str, themes: tuple[Theme, ...]) -> Iterator[Entry]:
    for number, theme in enumerate(themes, 1):
        evidence = ", ".join(theme.review_ids)
        yield Entry(
            part, section, prose.plain_text(theme.text), str(number), evidence=evidence, mentions=theme.mentions
        )


def _agent(part: Part, evaluation: AgentEvaluation) -> Iterator[Entry]:
    yield Entry(part, "Reasoning", prose.plain_text(evaluation.reasoning))
    yield from _points(part, "Strength", evaluation.strengths)
    yield from _points(part, "Weakness", evaluation.weaknesses)
    yield from _points(part, "Recommendation", evaluation.recommendations)


def _language(part: Part, evaluation: LanguageEvaluation) -> Iterator[Entry]:
    share = positive_share(part)
    known = "" if share.fraction is None else f", {share.fraction:.1%} positive ({share.source})"
    yield Entry(part, "Sentiment", f"{evaluation.sentiment}{known}")
    yield Entry(part, "Summary", prose.plain_text(evaluation.summary))
    yield from _themes(part, "Positive theme", evaluation.positive_themes)
    yield from _themes(part, "Negative theme", evaluation.negative_themes)
    yield from _themes(part, "Feature request", evaluation.feature_requests)
    yield from _themes(part, "Bug report", evaluation.bug_reports)


def _overview(part: Part, evaluation: OverviewEvaluation) -> Iterator[Entry]:
    yield Entry(part, "Executive summary", prose.plain_text(evaluation.executive_summary))
    if evaluation.reasoning:
        yield Entry(part, "Reasoning", prose.plain_text(evaluation.reasoning))
    for number, theme in enumerate(evaluation.themes, 1):
        languages = ", ".join(map(language_name, theme.keys))
        yield Entry(part, "Shared theme", prose.plain_text(theme.text), str(number), evidence=languages)
    yield from _points(part, "Recommendation", evaluation.recommendations)
