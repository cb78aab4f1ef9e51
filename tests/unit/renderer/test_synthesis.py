"""What an overview that is judged after the pieces is told of them."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.renderer.synthesis import LONGEST_TEXT, overview_task, results_budget
from shared.evaluations import Coverage, Facts, Part, PartResult
from shared.messages import EvaluationTask
from shared.vocabulary import PartStatus, Reason, Role
from tests.builders import (
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_task,
    an_agent_evaluation,
    at,
)

TEMPLATE = a_task("overview", Role.OVERVIEW)
LARGEST_TASK_BYTES = 900_000


def task(pieces: Sequence[Part], budget: int = 300_000) -> EvaluationTask:
    return overview_task(TEMPLATE, pieces, generation=2, deadline_at=at(500), budget_bytes=budget)


def results(pieces: Sequence[Part], budget: int = 300_000) -> dict[str, PartResult]:
    return {result.key: result for result in task(pieces, budget).results}


def wordy(key: str, score: float, length: int = 5_000) -> Part:
    return a_judged_part(key, score, evaluation=an_agent_evaluation(reasoning="r" * length))


def test_the_planned_task_gets_the_results_the_generation_and_the_deadline() -> None:
    found = task([a_judged_part("7"), a_failed_part("8")])
    assert (found.generation, found.deadline_at, found.results_total) == (2, at(500), 2)
    assert (found.part_id, found.criteria, found.partition) == (TEMPLATE.part_id, TEMPLATE.criteria, TEMPLATE.partition)


def test_a_result_has_the_computed_score_and_the_judges_words_but_no_ids() -> None:
    result = results([a_judged_part("7", 8.25)])["7"]
    assert (result.score, result.passed, result.status) == (8.25, True, PartStatus.COMPLETED)
    assert result.text == "It answers well and asks back where it must."
    assert result.points == ("It repeats the question.",)
    assert [score.score for score in result.criteria] == [8.25] * 3
    assert {(score.reasoning, score.evidence_ids) for score in result.criteria} == {("", ())}


def test_what_failed_is_there_with_its_reason_and_without_a_score() -> None:
    result = results([a_failed_part("8", Reason.REFUSED)])["8"]
    assert (result.status, result.reason, result.score, result.text) == (PartStatus.ERRORED, Reason.REFUSED, None, "")


def test_a_language_is_told_by_its_sentiment_summary_and_most_mentioned_troubles() -> None:
    result = results([a_judged_language("en")])["en"]
    assert (result.sentiment, result.text) == ("mixed", "Users like the search and miss a dark mode.")
    assert result.points == ("Dark mode (3)", "Log-in fails (2)", "Crash on rotation (1)")


def test_long_words_are_cut_with_a_mark() -> None:
    text = results([wordy("7", 5)])["7"].text
    assert (len(text), text[-2:]) == (LONGEST_TEXT, "r…")


def test_where_the_budget_ends_what_failed_and_what_scored_best_is_left_out_first() -> None:
    pieces = [a_failed_part("failed"), *(wordy(f"agent-{score}", score, 50) for score in (9, 2, 7, 4))]
    sizes = [len(result.model_dump_json()) + 1 for result in task(pieces).results]
    assert len(sizes) == 5
    assert sorted(results(pieces, sum(sizes) - 1)) == ["agent-2", "agent-4", "agent-7", "agent-9"]
    few = task(pieces, sum(sizes[:2]))
    assert [result.key for result in few.results] == ["agent-2", "agent-4"]
    assert few.results_total == 5


@given(st.permutations([a_failed_part("x"), a_failed_part("y"), *(wordy(key, 5, 50) for key in "abc")]), st.data())
@settings(max_examples=40, deadline=None)
def test_the_same_results_in_any_order_give_the_same_task(pieces: list[Part], data: st.DataObject) -> None:
    budget = data.draw(st.integers(0, 4_000))
    assert task(pieces, budget) == task(sorted(pieces, key=lambda part: part.key), budget)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 4_000)), max_size=12), st.integers(0, 20_000))
@settings(max_examples=30, deadline=None)
def test_results_fit_their_budget_and_all_are_counted(given_: list[tuple[float, int]], budget: int) -> None:
    pieces = [wordy(str(place), score, length) for place, (score, length) in enumerate(given_)]
    found = task(pieces, budget)
    assert sum(len(result.model_dump_json()) for result in found.results) <= budget
    assert found.results_total == len(pieces)
    keys = [result.key for result in found.results]
    assert keys == sorted(keys)


@pytest.mark.parametrize(("tokens", "budget"), [(99_000, 198_000), (500, 1_000), (900_000, 300_000), (0, 300_000)])
def test_results_fit_the_judges_window_where_the_plan_knows_it(tokens: int, budget: int) -> None:
    assert results_budget(300_000, tokens) == budget


IDLE = [a_failed_part(f"{number:04d}", Reason.NO_DATA, facts=Facts(), coverage=Coverage()) for number in range(5_000)]
JUDGED = [wordy(f"{number:04d}", number / 500, 400) for number in range(5_000)]


@pytest.mark.parametrize("pieces", [JUDGED, IDLE], ids=["judged", "idle"])
def test_the_task_of_five_thousand_pieces_stays_below_900_kilobytes(pieces: list[Part]) -> None:
    assert len(task(pieces).model_dump_json().encode()) < LARGEST_TASK_BYTES
