"""What the workbook says of money and of judgements that were repeated."""

from services.renderer.layout.about import Written
from shared.evaluations import Facts, Spread, Trials, Usage
from tests.builders import a_failed_part, a_judged_language, a_judged_part, a_plan, a_report
from tests.unit.renderer.test_layout import facts, laid_out, reviewed, sheet, table

SPREAD = Spread(name="score", judged=2, mean=7, deviation=0.4, lowest=6.6, highest=7.4)


def test_an_agents_own_cost_stands_beside_the_judges() -> None:
    known = a_judged_part("1", facts=Facts(rows=2, cost_usd=0.25))
    laid = laid_out([known, a_judged_part("2"), a_failed_part("3", facts=Facts(rows=1, cost_usd=0.5))])
    costs = {row["ID"]: (row["Own cost (USD)"], row["Judge cost (USD)"]) for row in table(sheet(laid, "Agents"))}
    assert costs == {"1": (0.25, 0.0017), "2": ("not known", 0.0017), "3": (0.5, "not reported")}
    assert facts(laid)["Agents' own cost (USD)"][0] == 0.75
    assert facts(laid)["Judge cost (USD)"][0] == 0.0034
    assert facts(laid_out([a_judged_part()]))["Agents' own cost (USD)"][0] == "not known"


def test_a_limit_that_was_reached_and_tokens_of_thought_are_said_on_the_summary() -> None:
    parts = [a_judged_part("1")]
    report = a_report(parts, exhausted="the token limit of 9 was reached", output_tokens=100, reasoning_tokens=80)
    laid = laid_out(parts, a_plan(pieces=1), report)
    assert facts(laid)["Judge cost (USD)"][1] == "the token limit of 9 was reached"
    assert facts(laid)["Output tokens"] == (100, "80 of them reasoning")


def test_parts_that_were_judged_once_have_no_columns_for_it() -> None:
    assert "Judgements" not in table(sheet(laid_out([a_judged_part()]), "Agents"))[0]


def test_how_often_an_agent_was_judged_and_how_far_it_lies_apart_is_said() -> None:
    trials = Trials(asked=3, judged=2, score=SPREAD)
    parts = [
        a_judged_part("1", trials=trials),
        a_judged_part("2", trials=Trials(asked=3, judged=1)),
        a_failed_part("3"),
    ]
    rows = [
        (row["Judgements"], row["Spread (sd)"], row["Range or agreement"])
        for row in table(sheet(laid_out(parts), "Agents"))
    ]
    assert sorted(rows, key=str) == [("1 of 3", "—", "not known"), ("2 of 3", 0.4, "6.60 to 7.40"), ("—", "—", "—")]


def test_how_many_judgements_of_a_language_agree_is_said() -> None:
    trials = Trials(asked=3, judged=3, agreement=0.6667)
    (row,) = table(sheet(reviewed([a_judged_language(trials=trials)]), "Languages"))
    assert (row["Judgements"], row["Range or agreement"]) == ("3 of 3", "67% found this sentiment")


def test_what_was_judged_before_has_no_cost_and_its_saving_is_on_the_about_sheet() -> None:
    parts = [a_judged_part("1", usage=Usage(), saved=Usage(input_tokens=9)), a_judged_part("2")]
    report = a_report(parts, recalled=1, saved_input_tokens=9, saved_cost_nano=2_000_000)
    laid = laid_out(parts, a_plan(pieces=2), report)
    assert {row["ID"]: row["Judge cost (USD)"] for row in table(sheet(laid, "Agents"))} == {
        "1": "judged before",
        "2": 0.0017,
    }
    about = laid.about(Written(0, 0, 0))
    (line,) = [row for row in table(about) if row["Item"] == "Saved by the cache"]
    assert line["Value"] == "0.0020 USD (9 tokens in, 0 out); parts judged before: 1"
