"""The sheet `About`: everything needed to judge the report itself: options, criteria, coverage, notes, ids."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from services.renderer.cells import CellValue
from services.renderer.layout import words
from services.renderer.layout.history import history
from services.renderer.layout.parts import asked
from services.renderer.layout.places import ABOUT
from services.renderer.layout.results import Results
from services.renderer.layout.values import Column, Sheet, Tone, table_sheet
from shared.evaluations import Criterion, Parameters, Part
from shared.messages import Options
from shared.vocabulary import Role

CHOSEN = "shown to the judge; where not all fit, chosen evenly over outcomes, lengths and time"
MAX_CUT_PARTS = 1_000  # the list of parts has the coverage of all


class Written(NamedTuple):
    """What writing came to: cells with characters replaced, cells cut to Excel's limit, rows of evidence."""

    cleaned: int
    shortened: int
    rows: int


class Line(NamedTuple):
    """A line of the sheet."""

    section: str
    item: str
    value: CellValue
    note: str = ""


COLUMNS: tuple[Column[Line], ...] = (
    Column("Section", lambda line: line.section, tone=lambda _: Tone.LABEL),
    Column("Item", lambda line: line.item, widest=44),
    Column("Value", lambda line: line.value, widest=70),
    Column("Note", lambda line: line.note or None, widest=70, tone=lambda _: Tone.MUTED),
)


def about_sheet(results: Results, written: Written) -> Sheet:
    """The lines, section by section."""
    lines = (
        *_ids(results),
        *_money(results),
        *_options(results.plan.options),
        *_criteria(results),
        *_coverage(results),
        *_suspicions(results),
        *_telemetry(results),
        *_notes(results),
        *(Line("History", *entry) for entry in history(results)),
        *_text(written),
    )
    return table_sheet(ABOUT, COLUMNS, lines)


def _ids(results: Results) -> Iterator[Line]:
    plan, report = results.plan, results.report
    yield Line("Report", "Report ID", plan.report_id)
    yield Line("Report", "Kind", str(plan.kind))
    yield Line("Report", "Subject", plan.subject)
    yield Line("Report", "Owner", plan.owner or words.NONE)
    yield Line("Report", "Generation", report.generation, "1 is the first; each retry counts one more")
    yield Line("Report", "Content hash", plan.content_sha256, "sha256 of the request's fields as sent")
    yield Line("Report", "Accepted (UTC)", plan.accepted_at)
    yield Line("Report", "Planned (UTC)", plan.planned_at)
    yield Line("Report", "Last outcome (UTC)", report.evaluated_at or words.NOT_KNOWN)
    yield Line("Report", "Deadline (UTC)", report.deadline_at)
    yield Line("Report", "Period from (UTC)", plan.period.from_ or "the beginning")
    yield Line("Report", "Period to (UTC)", plan.period.to or words.NONE, "exclusive")
    for name, value in plan.metadata.items():
        yield Line("Metadata", name, str(value))
    yield from _judge(results)


def _judge(results: Results) -> Iterator[Line]:
    """How the parts were judged, by what their judges say of themselves: two releases may have shared the work."""
    judges = [part.judge for part in results.parts if part.judge]
    for version in sorted({judge.prompt_version for judge in judges} or {results.plan.prompt_version}):
        yield Line("Judge", "Prompt version", version)
    for version in sorted({judge.schema_version for judge in judges if judge.schema_version}):
        yield Line("Judge", "Schema version", version, "the form that answers must have")
    for model in results.models:
        yield Line("Judge", "Model that answered", model)
    for name in Parameters.model_fields:
        for value in sorted({_parameter(getattr(judge.parameters, name)) for judge in judges}):
            yield Line("Judge", name.replace("_", " ").capitalize(), value)
    for edition in sorted({judge.prices for judge in judges if judge.prices}):
        yield Line("Judge", "Price table", edition, "US dollars per million tokens, as of this edition")


def _parameter(value: float | None) -> str:
    return "the model's own default" if value is None else f"{value:g}"


def _money(results: Results) -> Iterator[Line]:
    if results.report.recalled:
        yield Line("Money", "Saved by the cache", words.saved(results.report))


def _options(options: Options) -> Iterator[Line]:
    for name in Options.model_fields:
        yield Line("Option", name.replace("_", " ").capitalize(), _said(getattr(options, name)))


def _criteria(results: Results) -> Iterator[Line]:
    if results.plan.criteria.goal:
        yield Line("Criteria", "Goal", results.plan.criteria.goal)
    users: dict[tuple[Role, Criterion], int] = {}
    for part in sorted(results.parts, key=lambda part: (part.role is not Role.OVERVIEW, part.index, part.key)):
        for criterion in part.criteria:
            users[part.role, criterion] = users.get((part.role, criterion), 0) + 1
    for (role, criterion), count in users.items():
        whom = "the team" if role is Role.OVERVIEW else f"{count} of {results.total} agents"
        rule = f"weight {criterion.weight:g}, passes at {criterion.threshold:g}, for {whom}"
        yield Line("Criteria", criterion.name, rule, criterion.description)
    if left_out := asked(results).left_out:
        yield Line("Criteria", "Without a column of their own", left_out, "they stand in the details")


def _coverage(results: Results) -> Iterator[Line]:
    rows = "runs" if results.is_agents else "reviews"
    yield Line("Coverage", "All", words.coverage(results.coverage, rows), CHOSEN)
    if results.plan.evidence_tokens:
        yield Line("Coverage", "Tokens for evidence", results.plan.evidence_tokens, "a task, reckoned by script")
    cut = [part for part in results.pieces if _is_cut(part)]
    for part in cut[:MAX_CUT_PARTS]:
        yield Line("Coverage", words.name(part), words.coverage(part.coverage, rows))
    if len(cut) > MAX_CUT_PARTS:
        yield Line("Coverage", "And more", len(cut) - MAX_CUT_PARTS, "parts whose evidence was cut: see their rows")


def _is_cut(part: Part) -> bool:
    return part.coverage.used < part.coverage.total or part.coverage.shortened > 0


def _suspicions(results: Results) -> Iterator[Line]:
    """Text that may have been written to steer the judge: a person should look at it."""
    rows = "runs" if results.is_agents else "reviews"
    found = sum(part.coverage.suspicious for part in results.pieces)
    told = "by pattern; the judge is told to take no orders from any of them; see the data sheet"
    yield Line("Evidence", f"Suspicious {rows}", f"{found:,} of {results.plan.rows:,}", told)
    for sign, count in results.plan.signs.items():
        yield Line("Evidence", f"… {sign}", count)


def _telemetry(results: Results) -> Iterator[Line]:
    """How many runs have a trace, and why the others have none; nothing where none was asked for."""
    if not (results.is_agents and results.plan.options.telemetry):
        return
    found = [part.facts.telemetry for part in results.pieces if part.facts.telemetry]
    if not found:
        yield Line("Telemetry", "Runs with a trace", "not read", "no Jaeger was configured")
        return
    traced = sum(item.traced for item in found)
    untraced = Counter[str]()
    for item in found:
        untraced.update({reason.why: reason.runs for reason in item.untraced})
    yield Line("Telemetry", "Runs with a trace", f"{traced:,} of {traced + untraced.total():,}", "by Jaeger")
    for why, runs in sorted(untraced.items()):
        yield Line("Telemetry", "Runs without", runs, why)


def _notes(results: Results) -> Iterator[Line]:
    for number, note in enumerate(results.plan.notes, 1):
        yield Line("Note", str(number), note)


def _text(written: Written) -> Iterator[Line]:
    yield Line("This file", "Rows of evidence", written.rows)
    yield Line("This file", "Cleaned cells", written.cleaned, "characters that Excel cannot hold, shown as \ufffd")
    yield Line("This file", "Shortened cells", written.shortened, "text beyond Excel's 32,767 characters a cell")
    yield Line("This file", "Scores", "0 to 10", "a failed part is in no average and in no chart")


def _said(value: object) -> CellValue:
    """An option as the reader knows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not set"
    return value if isinstance(value, int | float) else str(value)
