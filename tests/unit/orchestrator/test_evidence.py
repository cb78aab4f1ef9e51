"""How runs and reviews become rows, which of them a judge is shown, and what is counted without one."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from services.orchestrator.evidence import cut, frozen, review_facts, review_row, run_facts, run_row, shown
from services.orchestrator.tokens import Budget
from shared.evaluations import EvidenceRow, Facts, Scalar
from shared.messages import ReviewInput, RunInput

SCALARS = st.one_of(st.text(), st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
LONG_TEXTS = st.builds(lambda text, times: text * times, st.text(min_size=1), st.integers(1, 300))
NAMES = st.sampled_from(["input", "output", "label_truth", "label_", "label", "tool \N{HAMMER}"]) | st.text(max_size=9)
VALUES = st.dictionaries(NAMES, SCALARS | LONG_TEXTS, max_size=5)


def a_run(**fields: Any) -> RunInput:
    return RunInput.model_validate({"run_id": "run-1", **fields})


def a_review(**fields: Any) -> ReviewInput:
    return ReviewInput.model_validate({"review_id": "r1", "language": "en", "text": "Good.", **fields})


def rows_of(*texts: str) -> list[EvidenceRow]:
    return [EvidenceRow(id=str(place), values={"text": text}) for place, text in enumerate(texts)]


def same_rows(count: int) -> list[EvidenceRow]:
    return [EvidenceRow(id=f"{place:04d}", values={"text": "same"}) for place in range(count)]


def bytes_only(size: int) -> Budget:
    return Budget(size, 10**9)


# --- rows


def test_a_row_has_the_known_fields_first_and_keeps_the_unknown_ones() -> None:
    run = a_run(tool_calls=3, label_solved=True, status="success", output="O", input="I")
    assert list(run_row(run).values.items()) == [
        ("input", "I"),
        ("output", "O"),
        ("status", "success"),
        ("tool_calls", 3),
        ("label_solved", True),
    ]


def test_times_are_written_in_utc() -> None:
    assert run_row(a_run(started_at="2026-11-24T13:00:00+01:00")).values == {"started_at": "2026-11-24T12:00:00Z"}


def test_what_has_a_structure_is_written_as_json_on_its_own_terms() -> None:
    run = a_run(input=[{"role": "user", "content": "Schön?"}], steps={"n": 1})
    assert run_row(run).values == {"input": '[{"role": "user", "content": "Schön?"}]', "steps": '{"n": 1}'}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_becomes_text(number: str) -> None:
    run = RunInput.model_validate_json(f'{{"run_id": "1", "ratio": {number}}}')
    assert run_row(run).values == {"ratio": str(float(number))}


def test_a_reviews_language_is_its_groups_key_and_no_column() -> None:
    row = review_row(a_review(rating=4, stars_given=True))
    assert row == EvidenceRow(id="r1", values={"text": "Good.", "rating": 4.0, "stars_given": True})


def test_ids_that_came_as_numbers_are_text() -> None:
    assert run_row(a_run(run_id=1)).id == "1"
    assert review_row(a_review(review_id=17)).id == "17"


# --- facts


def test_facts_of_runs_are_counted_by_their_own_status() -> None:
    runs = [
        a_run(status=" Success ", duration_seconds=1, tokens=10, cost_usd=0.1),
        a_run(status="FAILED", duration_seconds=4, tokens=5, cost_usd=0.2),
        a_run(status="running"),
        a_run(),
    ]
    assert run_facts(runs) == Facts(rows=4, finished=2, succeeded=1, mean_seconds=2.5, tokens=15, cost_usd=0.3)


def test_what_no_run_says_is_unknown_and_not_zero() -> None:
    assert run_facts([a_run(), a_run()]) == Facts(rows=2)
    assert run_facts([]) == Facts()


def test_a_rating_counts_before_a_recommendation() -> None:
    reviews = [
        a_review(rating=4),
        a_review(rating=3.9),
        a_review(rating=1, recommended=True),
        a_review(recommended=True),
        a_review(recommended=False),
        a_review(),
    ]
    assert review_facts(reviews) == Facts(rows=6, rated=5, positive=2, mean_rating=2.9667)


# --- rows as a judge may see them


@given(VALUES, st.integers(200, 2_000))
@settings(max_examples=70, deadline=None)
def test_a_row_is_shown_within_its_bytes_and_its_size_covers_its_json(values: dict[str, Scalar], room: int) -> None:
    [seen] = shown([EvidenceRow(id="run-1", values=values)], room)
    assert len(seen.row.model_dump_json().encode()) < seen.size
    if seen.row.values:
        assert seen.size <= room
    assert seen.shortened is (dict(seen.row.values) != {name: values[name] for name in visible(values)})
    assert not [name for name in seen.row.values if name.startswith("label_")]


def visible(values: dict[str, Scalar]) -> list[str]:
    return [name for name in values if not name.startswith("label_")]


def test_a_row_that_fits_is_shown_as_it_is() -> None:
    row = EvidenceRow(id="1", values={"input": "I" * 100, "ok": True})
    [seen] = shown([row], 16_000)
    assert (seen.row, seen.shortened) == (row, False)


def test_of_a_long_row_the_long_texts_are_cut_and_what_is_gone_is_counted() -> None:
    [seen] = shown([EvidenceRow(id="1", values={"input": "short", "output": "o" * 5_000, "tokens": 7})], 400)
    output = seen.row.values["output"]
    assert isinstance(output, str)
    kept = output.count("o") - "left out".count("o")
    assert output.endswith(f"… [{5_000 - kept} characters left out]")
    assert kept > 200
    assert (seen.row.values["input"], seen.row.values["tokens"]) == ("short", 7)


def test_the_truth_that_judges_are_measured_against_is_never_shown_but_frozen() -> None:
    row = EvidenceRow(id="1", values={"output": "O", "label_solved": True})
    assert shown([row], 16_000)[0].row.values == {"output": "O"}
    assert frozen("7", [row], frozenset({0}))[0].row.values == {"output": "O", "label_solved": True}


# --- the cut


@given(st.lists(st.integers(0, 3_000), max_size=40), st.integers(0, 20_000), st.integers(0, 100))
@settings(max_examples=50, deadline=None)
def test_a_cut_fits_its_budget_keeps_the_order_and_counts_what_it_took(
    lengths: list[int], budget: int, more: int
) -> None:
    rows = rows_of(*("t" * length for length in lengths))
    seen = shown(rows, 1_000)
    chosen = cut(seen, len(rows) + more, bytes_only(budget))
    assert len(to_json([row.model_dump() for row in chosen.rows])) <= budget + 2
    places = [int(row.id) for row in chosen.rows]
    assert places == sorted(chosen.used)
    assert chosen.coverage.total == len(rows) + more
    assert chosen.coverage.used == len(places)
    assert chosen.coverage.shortened == sum(seen[place].shortened for place in places)
    if budget >= sum(row.size for row in seen):
        assert len(places) == len(rows)


@given(st.integers(1, 200), st.data())
@settings(max_examples=60, deadline=None)
def test_a_cut_is_spread_evenly_over_the_whole(count: int, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, count))
    rows = shown(same_rows(count), 1_000)
    chosen = cut(rows, count, bytes_only(rows[0].size * kept))
    places = sorted(chosen.used)
    assert len(places) == kept
    assert places[0] == 0
    gaps = [after - before for before, after in zip(places, [*places[1:], count], strict=True)]
    assert max(gaps) <= 2 * count / kept


def test_a_row_too_long_for_what_is_left_makes_room_for_shorter_ones() -> None:
    rows = shown(rows_of("a", "b" * 500, "c"), 1_000)
    chosen = cut(rows, 3, bytes_only(rows[0].size + rows[2].size))
    assert [row.id for row in chosen.rows] == ["0", "2"]


def test_frozen_rows_are_whole_and_say_which_of_them_were_shown() -> None:
    rows = rows_of("a", "b" * 5_000, "c")
    kept = frozen("7", rows, frozenset({0, 2}))
    assert [item.row for item in kept] == rows
    assert [item.used for item in kept] == [True, False, True]
    assert {item.key for item in kept} == {"7"}


# --- fairness


def test_tokens_bound_a_cut_as_bytes_do() -> None:
    rows = shown(same_rows(10), 1_000)
    chosen = cut(rows, 10, Budget(10**9, 3 * rows[0].tokens + 1))
    assert len(chosen.rows) == 3


def test_one_failed_run_among_thousands_is_never_cut() -> None:
    rows = [EvidenceRow(id=f"{place:04d}", values={"status": "success", "output": "o" * 300}) for place in range(1_000)]
    rows[619] = EvidenceRow(id="0619", values={"status": "failed", "output": "o" * 900})
    seen = shown(rows, 16_000)
    for kept in (1, 2, 7):
        chosen = cut(seen, len(rows), bytes_only(seen[619].size + (kept - 1) * seen[0].size))
        assert len(chosen.used) == kept
        assert 619 in chosen.used


def test_reviews_are_chosen_by_their_ratings_in_proportion() -> None:
    stars = (5, 5, 5, 5, 5, 5, 3, 3, 1, 1)
    rows = [EvidenceRow(id=f"{place:03d}", values={"rating": stars[place % 10]}) for place in range(500)]
    seen = shown(rows, 1_000)
    chosen = cut(seen, len(rows), bytes_only(100 * seen[0].size))
    counted = Counter(row.values["rating"] for row in chosen.rows)
    assert {rating: round(count, -1) for rating, count in counted.items()} == {5: 60, 3: 20, 1: 20}


def test_recommendations_count_where_there_is_no_rating() -> None:
    rows = [EvidenceRow(id=str(place), values={"recommended": place != 7}) for place in range(20)]
    seen = shown(rows, 1_000)
    assert 7 in cut(seen, 20, bytes_only(2 * seen[0].size)).used
