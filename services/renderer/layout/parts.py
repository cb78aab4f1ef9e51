"""The sheets `Agents` and `Languages`: one row for each part, failed ones included; a column is one line here."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from services.renderer.cells import CellValue
from services.renderer.layout import prose, words
from services.renderer.layout.places import Places
from services.renderer.layout.results import FAILED_STATUSES, Results, positive_share
from services.renderer.layout.trials import trial_columns
from services.renderer.layout.values import Column, Format, Sheet, Tone, table_sheet
from shared.evaluations import AgentEvaluation, LanguageEvaluation, Part, Telemetry, Theme
from shared.vocabulary import PartStatus

TOP = 3
POINT_CHARACTERS = 160
MAX_CRITERIA_COLUMNS = 40  # the detail has them all

PartColumns = tuple[Column[Part], ...]


class Asked(NamedTuple):
    """The criteria that have a column, and how many have none because a table would not fit."""

    columns: tuple[str, ...]
    left_out: int


def parts_sheet(results: Results, places: Places) -> Sheet:
    """All pieces, each linked to its detail."""
    return table_sheet(places.parts, columns(results, places), results.pieces, frozen_columns=1)


def asked(results: Results) -> Asked:
    """The names of all criteria, in the order in which the parts were planned."""
    planned = sorted(results.pieces, key=lambda part: (part.index, part.key))
    names = list(dict.fromkeys(criterion.name for part in planned for criterion in part.criteria))
    return Asked(tuple(names[:MAX_CRITERIA_COLUMNS]), max(0, len(names) - MAX_CRITERIA_COLUMNS))


def columns(results: Results, places: Places) -> PartColumns:
    """The columns of the sheet."""
    if results.is_agents:
        criteria = tuple(_criterion_column(name) for name in asked(results).columns)
        telemetry = AGENT_TELEMETRY if any(part.facts.telemetry for part in results.pieces) else ()
        facts = (*_trials(results), *AGENT_FACTS, *telemetry)
        return (_name_column("Agent", places), *AGENT, *criteria, *facts, *_costs("runs"))
    return (_name_column("Language", places), *LANGUAGE, *_trials(results), *_costs("reviews"))


def _trials(results: Results) -> PartColumns:
    return trial_columns(tuple(results.pieces))


def _name_column(header: str, places: Places) -> Column[Part]:
    return Column(
        header, words.name, tone=lambda _: Tone.LINK, link=lambda part: places.details[part.part_id].address, widest=32
    )


def _criterion_column(name: str) -> Column[Part]:
    return Column(name, lambda part: _criterion(part, name), Format.SCORE, deepest=10)


def _criterion(part: Part, name: str) -> CellValue:
    if not isinstance(part.evaluation, AgentEvaluation) or part.status is not PartStatus.COMPLETED:
        return words.NONE
    if all(criterion.name != name for criterion in part.criteria):
        return "not asked"
    found = next((scored.score for scored in part.evaluation.criteria if scored.name == name), None)
    return "not judged" if found is None else found


def _agent(part: Part) -> AgentEvaluation | None:
    completed = part.status is PartStatus.COMPLETED
    return part.evaluation if completed and isinstance(part.evaluation, AgentEvaluation) else None


def _language(part: Part) -> LanguageEvaluation | None:
    completed = part.status is PartStatus.COMPLETED
    return part.evaluation if completed and isinstance(part.evaluation, LanguageEvaluation) else None


def _of_agent(points: Callable[[AgentEvaluation], Iterable[str]]) -> Callable[[Part], str]:
    return lambda part: _top(points(found)) if (found := _agent(part)) else words.NONE


def _of_language(themes: Callable[[LanguageEvaluation], Iterable[Theme]]) -> Callable[[Part], str]:
    return lambda part: _top(_themes(themes(found))) if (found := _language(part)) else words.NONE


def _top(points: Iterable[str]) -> str:
    """The first points in short; the detail has them in full."""
    said = [prose.shortened(" ".join(prose.plain_text(point).split()), POINT_CHARACTERS) for point in points]
    return prose.bullets(said[:TOP]) or "none named"


def _themes(themes: Iterable[Theme]) -> list[str]:
    return [f"{theme.text} ({theme.mentions:,})" for theme in themes]


def _positive(part: Part) -> CellValue:
    share = positive_share(part).fraction
    return words.NOT_KNOWN if share is None else share


def _success(part: Part) -> CellValue:
    return words.rate(part.facts.succeeded, part.facts.finished)


def _rating(part: Part) -> CellValue:
    return words.NOT_KNOWN if part.facts.mean_rating is None else part.facts.mean_rating


def _traced(value: Callable[[Telemetry], CellValue]) -> Callable[[Part], CellValue]:
    """What the traces of the part's runs say; a number of none that was traced is not known, not 0."""

    def said(part: Part) -> CellValue:
        known = part.facts.telemetry
        found = value(known) if known and known.traced else None
        return words.NOT_KNOWN if found is None else found

    return said


def _status_tone(part: Part) -> Tone:
    return words.tone(part)


def _reason_tone(part: Part) -> Tone:
    return words.tone(part) if part.status in FAILED_STATUSES else Tone.MUTED


STANDING: PartColumns = (
    Column("Status", lambda part: str(part.status), tone=_status_tone),
    Column("Reason", lambda part: words.reason(part.reason), tone=_reason_tone),
)

AGENT: PartColumns = (
    Column("ID", lambda part: part.key, Format.ID, widest=24),
    *STANDING,
    Column("Score", words.score, Format.SCORE, deepest=10),
    Column("Verdict", words.verdict, tone=lambda part: words.verdict_tone(words.verdict(part))),
)

AGENT_FACTS: PartColumns = (
    Column("Runs", lambda part: part.facts.rows, Format.COUNT),
    Column("Own cost (USD)", lambda part: words.own_cost([part]), Format.MONEY),
    Column("Success rate", _success, Format.PERCENT, deepest=1),
    Column("Top strengths", _of_agent(lambda said: said.strengths), widest=40),
    Column("Top weaknesses", _of_agent(lambda said: said.weaknesses), widest=40),
)

AGENT_TELEMETRY: PartColumns = (
    Column("Traced runs", lambda part: part.facts.telemetry.traced if part.facts.telemetry else 0, Format.COUNT),
    Column("Tool calls", _traced(lambda known: known.tool_calls), Format.COUNT),
    Column("Failed tool calls", _traced(lambda known: known.tool_errors), Format.COUNT),
    Column("Mean trace (s)", _traced(lambda known: known.mean_seconds), Format.SECONDS),
)

LANGUAGE: PartColumns = (
    *STANDING,
    Column("Sentiment", lambda part: found.sentiment if (found := _language(part)) else words.NONE),
    Column("Reviews", lambda part: part.facts.rows, Format.COUNT),
    Column("Mean rating", _rating, Format.SCORE),
    Column("% positive", _positive, Format.PERCENT, deepest=1),
    Column("Source of %", lambda part: positive_share(part).source, tone=lambda _: Tone.MUTED),
    Column(
        "Summary", lambda part: prose.plain_text(found.summary) if (found := _language(part)) else words.NONE, widest=56
    ),
    Column("Positive themes", _of_language(lambda said: said.positive_themes), widest=40),
    Column("Negative themes", _of_language(lambda said: said.negative_themes), widest=40),
    Column("Requests", _of_language(lambda said: said.feature_requests), widest=40),
    Column("Bugs", _of_language(lambda said: said.bug_reports), widest=40),
)


def _costs(rows: str) -> PartColumns:
    return (
        Column("Input tokens", lambda part: words.tokens(part, part.usage.input_tokens), Format.COUNT),
        Column("Output tokens", lambda part: words.tokens(part, part.usage.output_tokens), Format.COUNT),
        Column("Judge cost (USD)", words.cost, Format.MONEY),
        Column("Seconds", lambda part: part.seconds, Format.SECONDS),
        Column("Attempts", lambda part: part.attempts, Format.COUNT),
        Column("Coverage", lambda part: words.coverage(part.coverage, rows), widest=20),
    )
