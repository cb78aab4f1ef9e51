"""What stands on which sheet, and that nothing there lies about a failed part."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pytest

from services.renderer.cells import CellValue
from services.renderer.layout.about import Written
from services.renderer.layout.book import Book, book
from services.renderer.layout.distribution import bins
from services.renderer.layout.languages import language_name
from services.renderer.layout.values import Chart, Sheet
from shared.evaluations import Coverage, Facts, Part, Usage
from shared.state import Plan, Report
from shared.vocabulary import Kind, PartStatus, Reason, Role, Sentiment, Status
from tests.builders import (
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_language_evaluation,
    a_part,
    a_plan,
    a_report,
    a_row,
    an_overview,
)


def laid_out(parts: Sequence[Part], plan: Plan | None = None, report: Report | None = None) -> Book:
    pieces = sum(part.role is not Role.OVERVIEW for part in parts)
    return book(plan or a_plan(pieces=pieces), report or a_report(parts), parts)


def reviewed(parts: Sequence[Part]) -> Book:
    pieces = sum(part.role is not Role.OVERVIEW for part in parts)
    return laid_out(parts, a_plan(kind=Kind.REVIEWS, pieces=pieces))


def sheet(laid: Book, name: str) -> Sheet:
    return next(found for found in (*laid.before, laid.distribution) if found.name == name)


def table(found: Sheet) -> list[dict[str, CellValue]]:
    assert found.header_row is not None
    headers = [str(cell.value) for cell in found.rows[found.header_row - 1]]
    body = found.rows[found.header_row : found.last_row]
    return [dict(zip(headers, (cell.value for cell in row), strict=True)) for row in body]


def facts(laid: Book) -> dict[CellValue, tuple[CellValue, ...]]:
    return {row[0].value: tuple(cell.value for cell in row[1:]) for row in laid.before[0].rows if len(row) > 1}


def words(found: Sheet) -> str:
    return "\n".join(str(cell.value) for row in found.rows for cell in row)


def charted(found: Sheet) -> list[CellValue]:
    """What the bars of the sheet's chart show."""
    (chart,) = found.charts
    rows: Iterable[int] = range(chart.first_row, chart.last_row + 1)
    return [found.rows[row - 1][column - 1].value for row in rows for column in chart.values]


AGENTS = (
    a_judged_part("3", 6.0),
    a_judged_part("1", 9.0),
    a_failed_part("2"),
    a_judged_part("4", None),
    an_overview(),
)


def test_the_tabs_stand_in_their_order() -> None:
    laid = laid_out(AGENTS)
    assert [found.name for found in laid.before] == [
        "Summary",
        "Agents",
        "Overview",
        "Agent 1",
        "Agent 3",
        "Agent 4",
        "Agent 2",
        "Failures",
    ]
    assert laid.data.sheets == ("Runs",)
    assert laid.distribution.name == "Distribution"
    assert laid.about(Written(0, 0, 0)).name == "About"


def test_the_order_of_arrival_is_no_matter() -> None:
    assert laid_out(AGENTS).before == laid_out(AGENTS[::-1]).before


def test_agents_are_sorted_by_score_with_the_failed_ones_last() -> None:
    rows = table(sheet(laid_out(AGENTS), "Agents"))
    assert [(row["ID"], row["Score"], row["Verdict"]) for row in rows] == [
        ("1", 9.0, "passed"),
        ("3", 6.0, "not passed"),
        ("4", "not scored", "unscored"),
        ("2", "not scored", "—"),
    ]


def test_a_failed_agent_has_words_where_the_others_have_scores() -> None:
    (row,) = (row for row in table(sheet(laid_out(AGENTS), "Agents")) if row["ID"] == "2")
    assert (row["Status"], row["Reason"], row["Score"], row["accuracy"]) == ("errored", "timed out", "not scored", "—")
    assert None not in row.values()


def test_the_headline_is_the_mean_of_the_scored_agents() -> None:
    assert facts(laid_out(AGENTS))["Overall score"][:2] == (7.5, "mean of 2 of 4, 0 to 10")


def test_without_a_scored_agent_there_is_no_headline() -> None:
    assert facts(laid_out([a_failed_part("1"), a_judged_part("2", None)]))["Overall score"][0] == "not scored"


def test_the_teams_criteria_stand_beside_the_headline() -> None:
    shown = facts(laid_out(AGENTS))
    assert shown["Team criteria: effectiveness"] == (7.2, "passed, threshold 7")


def test_a_chart_leaves_failed_agents_out_and_says_so() -> None:
    summary = laid_out(AGENTS).before[0]
    assert charted(summary) == [9.0, 6.0]
    assert summary.charts[0].title == "Scores (2 of 4 scored)"


def test_a_chart_of_too_many_scores_shows_the_lowest() -> None:
    summary = laid_out([a_judged_part(f"{number:03}", number / 10) for number in range(100)]).before[0]
    assert charted(summary) == [number / 10 for number in range(39, -1, -1)]
    assert summary.charts[0].title == "The 40 lowest scores (100 of 100 scored)"


def test_a_report_without_scores_has_no_chart_on_its_summary() -> None:
    assert laid_out([a_failed_part("1")]).before[0].charts == ()


def test_the_histogram_counts_scored_agents_only_and_ten_is_in_the_last_bin() -> None:
    laid = laid_out([a_judged_part("1", 10.0), a_judged_part("2", 9.0), a_judged_part("3", 0.0), a_failed_part("4")])
    assert [found.agents for found in bins(laid.results)] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert laid.distribution.charts[0].title == "Agents by score (3 of 4 scored)"
    assert "1 of 4 agents" in words(laid.distribution)


@pytest.mark.parametrize(
    ("parts", "changes", "banner"),
    [
        ([a_judged_part("1"), an_overview()], {}, "COMPLETE"),
        ([a_judged_part("1"), a_failed_part("2")], {}, "PARTIAL: 1 of 2 parts failed"),
        (
            [a_judged_part("1"), a_failed_part("overview", role=Role.OVERVIEW)],
            {},
            "PARTIAL: the overview failed",
        ),
        (
            [a_judged_part("1"), a_failed_part("2"), a_failed_part("overview", role=Role.OVERVIEW)],
            {},
            "PARTIAL: 1 of 2 parts failed, and the overview",
        ),
        ([a_failed_part("1")], {}, "FAILED: no part could be judged"),
        (
            [a_judged_part("1"), a_failed_part("2")],
            {"ends_as": Status.FAILED, "reason": "the first failed part ends the report"},
            "FAILED: the first failed part ends the report; 1 of 2 parts were judged",
        ),
        (
            [a_judged_part("1"), a_failed_part("2", Reason.CANCELLED, status=PartStatus.CANCELLED)],
            {"ends_as": Status.CANCELLED},
            "CANCELLED: 1 of 2 parts had been judged",
        ),
    ],
)
def test_the_banner_says_in_words_how_the_report_ended(
    parts: list[Part], changes: dict[str, object], banner: str
) -> None:
    summary = laid_out(parts, report=a_report(parts, **changes)).before[0]
    assert summary.rows[1][0].value == banner


def test_a_part_that_is_planned_but_not_stored_is_missed() -> None:
    laid = laid_out([a_judged_part("1")], a_plan(pieces=2))
    assert laid.results.banner.text == "PARTIAL: 1 of 2 parts failed"
    assert facts(laid)["  Without outcome"][0] == 1


def test_the_failures_say_why_how_often_when_and_what_to_do() -> None:
    (row,) = table(sheet(laid_out(AGENTS), "Failures"))
    assert row["Part"] == "Agent 2"
    assert row["Message"] == "No answer within 100 s."
    assert row["What to do"] == Reason.TIMED_OUT.what_to_do
    assert (row["Attempts"], row["Retryable"]) == (3, "yes")
    assert isinstance(row["First failure (UTC)"], datetime)
    assert isinstance(row["Last failure (UTC)"], datetime)


def test_the_sheet_of_failures_is_there_when_none_failed() -> None:
    found = sheet(laid_out([a_judged_part("1")]), "Failures")
    assert table(found) == []
    assert "No part failed." in words(found)


def test_a_part_without_outcome_is_listed_as_a_failure() -> None:
    (row,) = table(sheet(laid_out([a_part("1")]), "Failures"))
    assert row["Status"] == "pending"


def test_up_to_fifty_parts_have_a_sheet_each() -> None:
    assert len(laid_out([a_judged_part(str(number)) for number in range(50)]).before) == 50 + 3


def test_more_parts_share_one_long_sheet_to_which_their_names_lead() -> None:
    laid = laid_out([*(a_judged_part(f"{number:03}") for number in range(196)), an_overview()])
    _, agents, details, _ = laid.before
    assert details.name == "Details"
    for row in agents.rows[1:]:
        name = row[0]
        assert name.link is not None
        number = int(name.link.removeprefix("'Details'!A"))
        back = details.rows[number - 1][0]
        assert back.value == name.value
        assert details.rows[number - 2][0].value != name.value
        assert back.link is not None
        assert agents.rows[int(back.link.removeprefix("'Agents'!A")) - 1][0].value == name.value


def test_a_name_leads_to_its_detail_and_back() -> None:
    laid = laid_out([a_judged_part("1", name="It's / one")])
    assert sheet(laid, "Agents").rows[1][0].link == "'It''s one'!A1"
    assert sheet(laid, "It's one").rows[1][0].link == "'Agents'!A2"


def test_an_agent_named_like_a_sheet_gets_another_name() -> None:
    parts = [a_judged_part("1", name="Summary"), a_judged_part("2", name="RUNS (2)")]
    laid = book(a_plan(pieces=2, rows=11), a_report(parts), parts, rows_per_sheet=6)
    assert laid.data.sheets == ("Runs", "Runs (2)", "Runs (3)")
    assert [found.name for found in laid.before[2:-1]] == ["Summary (2)", "RUNS (2) (2)"]


def test_a_detail_has_the_criteria_with_share_threshold_verdict_and_evidence() -> None:
    first, *_ = table(sheet(laid_out([a_judged_part("1", 6.5)]), "Agent 1"))
    assert first == {
        "Section": "Criterion",
        "Item": "accuracy",
        "Score": 6.5,
        "Threshold": 7,
        "Weight": 0.4,
        "Verdict": "not passed",
        "Text": "Ten runs were read.",
        "Evidence": "run-1, run-2",
    }


def test_a_failed_parts_detail_says_why_and_what_to_do() -> None:
    (row,) = table(sheet(laid_out([a_failed_part("1")]), "Agent 1"))
    assert (row["Section"], row["Item"], row["Score"]) == ("Failure", "errored: timed out", "not scored")
    assert Reason.TIMED_OUT.what_to_do in str(row["Text"])


def test_a_criterion_that_an_agent_was_not_asked_is_told_from_one_not_judged() -> None:
    one = a_judged_part("1", 8.0, criteria=AGENTS[0].criteria[:1])
    rows = {row["ID"]: row for row in table(sheet(laid_out([one, a_judged_part("2", None)]), "Agents"))}
    assert rows["1"]["reliability"] == "not asked"
    assert rows["2"]["accuracy"] == "not judged"


def test_a_cost_without_a_price_says_so() -> None:
    unpriced = Usage(model="new", input_tokens=10, output_tokens=1)
    no_data = a_failed_part("3", Reason.NO_DATA, attempts=0)
    parts = [a_judged_part("1", usage=unpriced), a_judged_part("2"), no_data, a_failed_part("4")]
    laid = laid_out(parts)
    assert {row["ID"]: row["Judge cost (USD)"] for row in table(sheet(laid, "Agents"))} == {
        "1": "unpriced",
        "2": 0.0017,
        "3": "no calls",
        "4": "not reported",
    }
    assert {row["ID"]: row["Input tokens"] for row in table(sheet(laid, "Agents"))} == {
        "1": 10,
        "2": 9_000,
        "3": "no calls",
        "4": "not reported",
    }
    assert facts(laid)["Judge cost (USD)"][0] == "at least $0.0017; the rest is unpriced"
    assert facts(laid_out([parts[0]]))["Judge cost (USD)"][0] == "unpriced"


def test_cut_evidence_is_shown() -> None:
    laid = laid_out([a_judged_part("1", coverage=Coverage(total=2000, used=120, shortened=3))])
    (row,) = table(sheet(laid, "Agents"))
    assert row["Coverage"] == "120 of 2,000 runs, 3 of them shortened"
    assert facts(laid)["Evidence judged"][:2] == (120, "of 2,000 runs, 3 shortened")
    assert "120 of 2,000 runs" in words(laid.about(Written(0, 0, 0)))


def test_about_lists_notes_options_and_what_writing_took() -> None:
    laid = laid_out([a_judged_part("1")], a_plan(pieces=1, notes=("12 traces were missing.",)))
    rows = {row["Item"]: row["Value"] for row in table(laid.about(Written(2, 1, 30)))}
    assert rows["1"] == "12 traces were missing."
    assert rows["Eval timeout seconds"] == 300
    assert (rows["Cleaned cells"], rows["Shortened cells"], rows["Rows of evidence"]) == (2, 1, 30)


def test_about_names_what_a_retry_judged_again() -> None:
    parts = [a_judged_part("1"), a_judged_part("2", generation=2)]
    found = laid_out(parts, report=a_report(parts, generation=2)).about(Written(0, 0, 0))
    assert "Judged again: Agent 2" in words(found)
    assert "Judged again: Agent 1" not in words(found)


def test_no_time_on_any_sheet_is_later_than_the_reports_own() -> None:
    laid = laid_out(AGENTS)
    times = [
        cell.value
        for found in (*laid.before, laid.about(Written(0, 0, 0)))
        for row in found.rows
        for cell in row
        if isinstance(cell.value, datetime)
    ]
    assert max(times) <= laid.results.report.deadline_at


LANGUAGES = (
    a_judged_language("en", facts=Facts(rows=40, rated=40, positive=30, mean_rating=4.2)),
    a_judged_language("ar", facts=Facts(rows=90)),
    a_failed_part("fr", role=Role.LANGUAGE, facts=Facts(rows=60)),
)


def test_languages_are_sorted_by_reviews_and_named_in_english() -> None:
    rows = table(sheet(reviewed(LANGUAGES), "Languages"))
    assert [row["Language"] for row in rows] == ["Arabic (ar)", "French (fr)", "English (en)"]


def test_the_share_of_positive_reviews_names_its_source() -> None:
    rows = table(sheet(reviewed(LANGUAGES), "Languages"))
    assert [(row["% positive"], row["Source of %"]) for row in rows] == [
        (0.4, "judge's reading"),
        ("not known", "not known"),
        (0.75, "ratings"),
    ]


def test_a_failed_language_has_words_in_every_cell_of_its_verdict() -> None:
    rows = table(sheet(reviewed(LANGUAGES), "Languages"))
    assert (rows[1]["Status"], rows[1]["Sentiment"], rows[1]["Summary"]) == ("errored", "—", "—")
    assert None not in rows[1].values()


def test_the_charts_of_a_review_report_leave_failed_languages_out() -> None:
    laid = reviewed(LANGUAGES)
    assert charted(laid.before[0]) == [0.4, 0.75]
    assert laid.before[0].charts[0].title == "Positive reviews (2 of 3 languages)"
    assert charted(laid.distribution) == [4, 3, 1, 2] * 2
    assert laid.distribution.charts[0].title == "How reviews were read (2 of 3 languages)"


def test_the_share_over_all_languages_says_how_many_it_rests_on() -> None:
    assert facts(reviewed(LANGUAGES))["% positive"][:2] == (0.75, "ratings, 1 of 3 languages")


def test_a_review_detail_lists_themes_with_mentions_and_ids() -> None:
    rows = table(sheet(reviewed([a_judged_language("en")]), "English (en)"))
    (bug,) = (row for row in rows if row["Section"] == "Bug report")
    assert (bug["Text"], bug["Mentions"], bug["Evidence"]) == ("Crash on rotation", 1, "r9")


def test_a_detail_that_is_mainly_arabic_runs_from_right_to_left() -> None:
    arabic = a_language_evaluation(
        summary="يحب المستخدمون سرعة البحث ويطلبون وضعاً داكناً ويشتكون من فشل تسجيل الدخول " * 5
    )
    laid = reviewed([a_judged_language("ar", evaluation=arabic), a_judged_language("en")])
    assert sheet(laid, "Arabic (ar)").right_to_left
    assert not sheet(laid, "English (en)").right_to_left


@pytest.mark.parametrize(
    ("code", "name"),
    [("ar", "Arabic (ar)"), ("pt-BR", "Portuguese (pt-BR)"), ("zh_Hans", "Chinese (zh_Hans)"), ("tlh", "tlh")],
)
def test_a_language_is_named_in_english_where_its_name_is_known(code: str, name: str) -> None:
    assert language_name(code) == name


def test_the_evidence_has_its_ids_its_columns_in_order_and_what_the_judge_saw() -> None:
    data = laid_out([a_judged_part("7")], a_plan(pieces=1, columns=("run_id", "input", "started_at", "tier"))).data
    row = a_row("7", "run-1", used=False, input="hello", started_at="2026-11-24T13:00:00+01:00", tier=None)
    assert [column.header for column in data.columns] == [
        "Agent",
        "Run ID",
        "Shown to the judge",
        "Input",
        "Started (UTC)",
        "tier",
    ]
    values = [column.value(row) for column in data.columns]
    assert values == ["Agent 7", "run-1", "no", "hello", datetime.fromisoformat("2026-11-24T12:00:00Z"), None]


def test_a_time_that_is_none_stays_as_it_came() -> None:
    data = laid_out([a_judged_part("7")], a_plan(pieces=1, columns=("started_at",))).data
    assert data.columns[-1].value(a_row(started_at="yesterday")) == "yesterday"
    assert data.columns[-1].value(a_row(started_at=17)) == 17


def test_columns_are_as_wide_as_what_they_hold_within_limits() -> None:
    laid = laid_out([a_judged_part("1", name="N" * 200), a_judged_part("2")])
    agents = sheet(laid, "Agents")
    assert agents.widths[0] == 32
    assert all(8 <= width <= 80 for found in laid.before for width in found.widths)


def test_no_row_is_higher_than_excel_allows() -> None:
    evaluation = a_language_evaluation(summary="word " * 5_000, sentiment=Sentiment.NEUTRAL)
    laid = reviewed([a_judged_language("en", evaluation=evaluation)])
    assert all(points <= 409 for found in laid.before for points in found.heights.values())


def test_every_table_has_a_header_and_every_time_says_utc() -> None:
    for laid in (laid_out(AGENTS), reviewed(LANGUAGES)):
        for found in (*laid.before[1:], laid.distribution, laid.about(Written(0, 0, 0))):
            assert found.header_row is not None
            for row in found.rows:
                for column, cell in enumerate(row):
                    if isinstance(cell.value, datetime):
                        header = str(found.rows[found.header_row - 1][column].value)
                        assert "UTC" in header or "UTC" in str(row[1].value)


def test_a_chart_stays_within_its_rows() -> None:
    def inside(chart: Chart, found: Sheet) -> bool:
        return chart.header_row < chart.first_row <= chart.last_row <= len(found.rows)

    for laid in (laid_out(AGENTS), reviewed(LANGUAGES)):
        for found in (laid.before[0], laid.distribution):
            assert all(inside(chart, found) for chart in found.charts)


def test_what_is_in_no_bar_is_told_apart_failed_or_not_judged() -> None:
    summary = words(sheet(laid_out(AGENTS), "Summary"))
    assert "2 of 4 not scored: 1 failed, see Failures, 1 not judged in full" in summary


def test_evidence_rows_are_as_high_as_the_sample_needs_and_no_higher_than_three_lines() -> None:
    table = laid_out(AGENTS, a_plan(columns=("input",))).data
    points = []
    for length in (1, 100, 10_000):
        sample = [a_row("1", input="x" * length)]
        points.append(table.row_points(sample, table.widths(sample)))
    assert points == [16.5, 30.0, 43.5]
