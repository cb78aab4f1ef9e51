"""What the workbook says of how a report was judged, and of evidence that may have been written to steer the judge."""

from collections.abc import Sequence

from services.renderer.layout.about import Written
from services.renderer.layout.book import book
from shared.evaluations import Coverage, Judge, Parameters, Part
from shared.state import Plan
from shared.vocabulary import Sign
from tests.builders import a_failed_part, a_judged_part, a_plan, a_report, a_row

SIGNS = {str(Sign.ORDERS): 2, str(Sign.HIDDEN_TEXT): 1}


def about(parts: Sequence[Part], plan: Plan | None = None) -> list[tuple[object, object]]:
    """The items with their values, in order."""
    laid = book(plan or a_plan(pieces=len(parts)), a_report(parts), parts)
    return [(row[1].value, row[2].value) for row in laid.about(Written(0, 0, 0)).rows if len(row) > 2]


def judged_by(key: str, **judge: object) -> Part:
    return a_judged_part(key, judge=Judge.model_validate({"model": "m", "prompt_version": "2", **judge}))


def test_models_versions_and_parameters_of_every_judge_are_named() -> None:
    exact = Parameters(temperature=0, seed=7, max_output_tokens=2_000)
    lines = about(
        [judged_by("1", schema_version="1", parameters=exact), judged_by("2", prompt_version="3"), a_failed_part("3")]
    )
    assert [line for line in lines if line[0] in {"Prompt version", "Schema version"}] == [
        ("Prompt version", "2"),
        ("Prompt version", "3"),
        ("Schema version", "1"),
    ]
    default = "the model's own default"
    start = lines.index(("Temperature", "0"))
    assert lines[start : start + 6] == [
        ("Temperature", "0"),
        ("Temperature", default),
        ("Seed", "7"),
        ("Seed", default),
        ("Max output tokens", "2000"),
        ("Max output tokens", default),
    ]


def test_a_report_that_nobody_judged_names_the_prompt_it_was_planned_for() -> None:
    assert ("Prompt version", "3") in about([a_failed_part("1")])


def test_suspicious_rows_are_counted_by_part_and_by_sign() -> None:
    parts = [
        a_judged_part("1", coverage=Coverage(total=10, used=10, suspicious=2)),
        a_failed_part("2", coverage=Coverage(total=10, used=10, suspicious=1)),
    ]
    lines = about(parts, a_plan(pieces=2, rows=20, signs=SIGNS))
    start = lines.index(("Suspicious runs", "3 of 20"))
    assert lines[start + 1 : start + 3] == [("… gives the judge orders", 2), ("… hidden characters", 1)]


def test_a_report_without_suspicious_rows_says_so() -> None:
    assert ("Suspicious runs", "0 of 30") in about([a_judged_part("1")])


def test_the_data_sheet_names_what_is_suspicious_in_a_row_where_anything_is() -> None:
    parts = [a_judged_part("1")]
    flagged = book(a_plan(pieces=1, signs=SIGNS), a_report(parts), parts).data
    (column,) = (column for column in flagged.columns if column.header == "Suspicious")
    row = a_row("1")
    assert column.value(row) is None
    assert column.value(row.model_copy(update={"signs": tuple(SIGNS)})) == "gives the judge orders, hidden characters"
    clean = book(a_plan(pieces=1), a_report(parts), parts).data
    assert "Suspicious" not in {column.header for column in clean.columns}


def test_the_tokens_for_evidence_are_named_where_they_are_known() -> None:
    assert ("Tokens for evidence", 99_090) in about([a_judged_part("1")], a_plan(pieces=1, evidence_tokens=99_090))
    assert "Tokens for evidence" not in dict(about([a_judged_part("1")]))
