"""What the sheet Comparison says, and that it compares nothing that cannot be compared."""

from collections.abc import Sequence
from typing import Any

import pytest

from services.renderer.cells import CellValue
from services.renderer.layout.book import Book, book
from services.renderer.layout.comparing import Comparison, Verdict, compare
from services.renderer.layout.results import results
from services.renderer.layout.values import Sheet
from services.renderer.past import Past
from shared.evaluations import Coverage, Criterion, Facts, Judge, Part, Spread, Trials
from shared.messages import Options, Period
from shared.state import Baseline
from shared.vocabulary import Kind, Reason
from tests.builders import (
    AGENT_CRITERIA,
    NOON,
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_language_evaluation,
    a_plan,
    a_report,
    an_overview,
    at,
)

DAY = 86_400
BEFORE = Period.model_validate({"from": at(-60 * DAY), "to": at(-30 * DAY)})
JUDGE = Judge(model="another", prompt_version="2")


def a_baseline(**changes: Any) -> Baseline:
    defaults: dict[str, Any] = {
        "report_id": "october",
        "generation": 2,
        "title": "Support agents, October",
        "subject": "42",
        "period": BEFORE,
        "judge_model": "gpt-4o-mini",
        "prompt_version": "3",
        "goal": "Resolve every ticket.",
    }
    return Baseline(**(defaults | changes))


def compared(then: Sequence[Part], now: Sequence[Part], **changes: Any) -> Comparison:
    reviews = any(part.role == "language" for part in (*then, *now))
    plan = a_plan(pieces=len(now), kind=Kind.REVIEWS if reviews else Kind.AGENTS)
    baseline = a_baseline(**{"goal": plan.criteria.goal, **changes})
    return compare(results(plan, a_report(now), now, Past(baseline=tuple(then))), baseline)


def verdicts(found: Comparison) -> dict[str, str]:
    return {pair.part.key: pair.verdict for pair in found.pairs}


def laid(then: Sequence[Part], now: Sequence[Part], baseline: Baseline | None = None, **changes: Any) -> Book:
    plan = a_plan(
        **{"pieces": len(now), "options": Options(baseline="october"), "baseline": baseline or a_baseline(), **changes}
    )
    return book(plan, a_report(now), [*now, an_overview()], past=Past(baseline=tuple(then)))


def sheet(found: Book) -> Sheet:
    return next(sheet for sheet in found.before if sheet.name == "Comparison")


def said(found: Book) -> str:
    above = sheet(found).rows[: (sheet(found).header_row or 3) - 1]
    return "\n".join(str(cell.value) for row in above for cell in row)


def table(found: Book) -> dict[CellValue, dict[CellValue, CellValue]]:
    of = sheet(found)
    assert of.header_row is not None
    headers = [cell.value for cell in of.rows[of.header_row - 1]]
    assert len(set(headers)) == len(headers)
    rows = [dict(zip(headers, (cell.value for cell in row), strict=True)) for row in of.rows[of.header_row :]]
    return {row["Part"]: row for row in rows}


def test_parts_are_paired_by_key_and_said_to_have_moved_or_not() -> None:
    then = [a_judged_part("1", 5), a_judged_part("2", 8), a_judged_part("3", 7), a_judged_part("4", 7)]
    now = [a_judged_part("5", 7), a_judged_part("3", 7.04), a_judged_part("2", 7), a_judged_part("1", 6)]
    found = compared(then, now)
    assert verdicts(found) == {
        "2": "regressed",
        "1": "improved",
        "5": "only now",
        "4": "only then",
        "3": "unchanged",
    }
    assert [pair.part.key for pair in found.pairs] == ["2", "1", "5", "4", "3"]
    assert found.means == pytest.approx((20 / 3, 20.04 / 3))


def test_a_part_that_failed_has_no_number_and_is_in_no_sum() -> None:
    left_over: dict[str, Any] = {"score": 9.0, "evaluation": a_judged_part("1").evaluation}
    then = [a_judged_part("1", 5), a_failed_part("2", **left_over), a_failed_part("3"), a_judged_part("4", None)]
    now = [
        a_failed_part("1", Reason.REFUSED, **left_over),
        a_judged_part("2", 5),
        a_failed_part("3"),
        a_judged_part("4"),
    ]
    found = compared(then, now)
    assert verdicts(found) == {
        "1": Verdict.FAILED_NOW,
        "2": Verdict.FAILED_THEN,
        "3": Verdict.FAILED_BOTH,
        "4": Verdict.UNSCORED,
    }
    assert {pair.change for pair in found.pairs} == {None}
    assert found.means is None
    shown = table(laid(then, now))
    assert (shown["Agent 1"]["Score then"], shown["Agent 1"]["Score now"]) == (5, "errored: refused")
    assert (shown["Agent 2"]["Score then"], shown["Agent 2"]["Change"]) == ("errored: timed out", "—")
    assert shown["Agent 4"]["Score then"] == "not scored"


def test_a_part_judged_by_other_rules_is_flagged_and_neither_improved_nor_regressed() -> None:
    stricter = (AGENT_CRITERIA[0].model_copy(update={"threshold": 9.0, "weight": 1.0}), *AGENT_CRITERIA[1:])
    renamed = (Criterion(name="tone"), *AGENT_CRITERIA[1:])
    reworded = (AGENT_CRITERIA[0].model_copy(update={"description": "Otherwise?"}), *AGENT_CRITERIA[1:])
    then = [
        a_judged_part("1", 5, criteria=stricter),
        a_judged_part("2", 5, criteria=renamed),
        a_judged_part("3", 5, criteria=reworded),
        a_judged_part("4", 5, judge=JUDGE),
        a_judged_part("5", 5, criteria=AGENT_CRITERIA[::-1]),
    ]
    found = compared(then, [a_judged_part(str(number), 6) for number in range(1, 6)])
    assert {pair.part.key: pair.differs for pair in found.pairs} == {
        "1": ("criterion accuracy weight 1 → 0.4, threshold 9 → 7",),
        "2": ("criterion tone only then", "criterion accuracy only now"),
        "3": ("criterion accuracy described otherwise",),
        "4": ("judge another then, gpt-4o-mini-2024-07-18 now", "prompt version 2 then, 3 now"),
        "5": (),
    }
    assert (found.count(Verdict.OTHERWISE), found.count(Verdict.IMPROVED)) == (4, 1)
    assert found.means == pytest.approx((5, 6))


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"judge_model": "gpt-4o"}, "Judge model differs: gpt-4o then, gpt-4o-mini now"),
        ({"prompt_version": "2"}, "Prompt version differs: 2 then, 3 now"),
        ({"subject": "41"}, "Subject differs: 41 then, 42 now"),
        ({"goal": None}, "Goal differs: none then, Resolve every ticket. now"),
        ({"runs_per_agent": 5}, "Runs per agent differs: 5 then, 20 now"),
        ({"period": Period(to=NOON)}, "The periods overlap: runs that count in both make every change look smaller"),
    ],
)
def test_what_differs_for_the_whole_stands_above_the_table(changes: dict[str, Any], flag: str) -> None:
    parts = [a_judged_part("1")]
    assert flag in said(laid(parts, parts, a_baseline(**changes)))


def test_two_reports_judged_alike_have_no_flags() -> None:
    assert compared([a_judged_part("1")], [a_judged_part("1")]).flags == ()


def test_few_pairs_are_not_enough_and_many_that_moved_alike_are_beyond_chance() -> None:
    def all_at(score: float, count: int) -> list[Part]:
        return [a_judged_part(str(number), score) for number in range(count)]

    assert "5.00 then, 6.00 now, +1.00; not enough data" in said(laid(all_at(5, 5), all_at(6, 5)))
    assert "beyond chance (Wilcoxon's signed-rank test, two-sided, p = 0.0312)" in said(
        laid(all_at(5, 6), all_at(6, 6))
    )


def test_success_rates_have_an_interval_where_enough_runs_were_counted() -> None:
    def part(succeeded: int, finished: int) -> Part:
        return a_judged_part("1", facts=Facts(rows=finished, finished=finished, succeeded=succeeded))

    found = laid([part(48, 80)], [part(56, 70)])
    row = table(found)["Agent 1"]
    assert (row["Success rate then"], row["Success rate now"], row["Rate: chance"]) == (0.6, 0.8, "beyond chance")
    assert (row["Rate change from"], row["Rate change to"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert "48 of 80 then, 56 of 70 now, +20.0 points; beyond chance, 95% interval +5.2 to +33.4" in said(found)

    row = table(laid([part(4, 9)], [part(56, 70)]))["Agent 1"]
    assert (row["Rate: chance"], row["Rate change from"]) == ("not enough data", "—")


def test_ratings_are_compared_whoever_judged_and_readings_only_if_judged_alike() -> None:
    rated = {"facts": Facts(rows=100, rated=100, positive=60)}
    read = {"coverage": Coverage(total=10, used=10)}
    then = [
        a_judged_language("de", judge=JUDGE, **rated),
        a_judged_language("en", judge=JUDGE, **read),
        a_judged_language("fr", **rated),
        a_judged_language("es", **read),
    ]
    more = a_language_evaluation(positive_ids=tuple(f"r{number}" for number in range(9)))
    now = [
        a_judged_language("de", facts=Facts(rows=100, rated=100, positive=90)),
        a_judged_language("en", evaluation=more, **read),
        a_judged_language("fr", **read),
        a_judged_language("es", evaluation=more, **read),
    ]
    found = compared(then, now)
    assert verdicts(found) == {"de": "improved", "en": "judged otherwise", "fr": "judged otherwise", "es": "improved"}
    assert {pair.part.key: pair.interval is None for pair in found.pairs} == {
        "de": False,
        "en": True,
        "fr": True,
        "es": False,
    }
    assert found.rates is not None
    assert (found.rates.then.positive, found.rates.then.of) == (64, 110)


def test_a_language_that_failed_has_no_share_although_its_ratings_are_known() -> None:
    rated: dict[str, Any] = {"facts": Facts(rows=100, rated=100, positive=60)}
    failed = a_failed_part("de", role=a_judged_language("de").role, **rated)
    found = compared([a_judged_language("de", **rated)], [failed])
    assert verdicts(found) == {"de": "failed now"}
    assert found.rates is None


def test_the_first_of_a_series_says_that_there_is_nothing_to_compare_with() -> None:
    parts = [a_judged_part("1")]
    plan = a_plan(pieces=1, options=Options(baseline="previous"))
    assert "this is the first" in said(book(plan, a_report(parts), parts))


def links(found: Book) -> set[str | None]:
    return {cell.link for row in found.before[0].rows for cell in row}


def test_without_a_baseline_there_is_no_such_sheet_and_no_link_to_it() -> None:
    parts = [a_judged_part("1")]
    laid_out = book(a_plan(pieces=1), a_report(parts), parts)
    assert "Comparison" not in {sheet.name for sheet in laid_out.before}
    assert "'Comparison'!A1" not in links(laid_out)
    assert "'Comparison'!A1" in links(laid(parts, parts))


def test_an_agent_called_like_the_sheet_has_a_detail_of_another_name() -> None:
    parts = [a_judged_part("1", name="Comparison")]
    names = [sheet.name for sheet in laid(parts, parts).before]
    assert names.count("Comparison") == 1
    assert "Comparison (2)" in names


def test_a_score_of_several_judgements_each_time_has_an_interval() -> None:
    def part(score: float, deviation: float, judged: int = 5, **changes: Any) -> Part:
        spread = Spread(name="score", judged=judged, mean=score, deviation=deviation)
        return a_judged_part("1", score, trials=Trials(asked=judged, judged=judged, score=spread), **changes)

    row = table(laid([part(7, 0.2)], [part(7.5, 0.2)]))["Agent 1"]
    assert row["Score: chance"] == "beyond chance"
    assert (row["Score change from"], row["Score change to"]) == pytest.approx((0.2083, 0.7917), abs=5e-5)
    assert table(laid([part(7, 1.5)], [part(7.5, 1.5)]))["Agent 1"]["Score: chance"] == "within chance"
    assert table(laid([part(7, 0.2)], [part(7.5, 0.2, 2)]))["Agent 1"]["Score: chance"] == "not enough data"
    assert table(laid([part(7, 0.2, judge=JUDGE)], [part(7.5, 0.2)]))["Agent 1"]["Score: chance"] == "—"
