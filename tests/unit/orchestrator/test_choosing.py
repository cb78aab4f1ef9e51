"""The order in which rows are shown is fair: every beginning of it is a sample of the whole."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from services.orchestrator.choosing import FAILED, SUCCEEDED, UNKNOWN, Candidate, evenly, fair_order

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.sampled_from([FAILED, SUCCEEDED, UNKNOWN]),
        st.sampled_from(["", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"]),
        st.integers(1, 5_000),
    ),
    max_size=60,
)


@given(CANDIDATES)
@settings(max_examples=100, deadline=None)
def test_every_row_stands_in_the_order_once_and_each_outcome_has_one_at_its_beginning(rows: list[Candidate]) -> None:
    order = fair_order(rows)
    assert sorted(order) == list(range(len(rows)))
    outcomes = {row.outcome for row in rows}
    assert {rows[place].outcome for place in order[: len(outcomes)]} == outcomes
    if FAILED in outcomes:
        assert rows[order[0]].outcome == FAILED


@given(CANDIDATES)
@settings(max_examples=50, deadline=None)
def test_the_same_rows_give_the_same_order(rows: list[Candidate]) -> None:
    assert fair_order(rows) == fair_order([*rows])


def test_long_rows_keep_their_share_of_the_evidence() -> None:
    rows = [Candidate(UNKNOWN, "", 1_000 if place % 4 == 0 else 100) for place in range(400)]
    chosen = [rows[place].size for place in fair_order(rows)]
    room, taken = 13_000, Counter[int]()  # a tenth of the whole
    for size in chosen:
        if size <= room:
            taken[size] += 1
            room -= size
    assert (taken[1_000], taken[100]) == (10, 30)


def test_the_beginning_is_spread_over_time_and_not_over_places() -> None:
    days = [f"2026-11-{1 + place % 28:02d}" for place in range(280)]
    first = [days[place] for place in fair_order([Candidate(UNKNOWN, day, 10) for day in days])[:28]]
    weeks = Counter((int(day[-2:]) - 1) // 7 for day in first)
    assert sorted(weeks) == [0, 1, 2, 3]
    assert set(weeks.values()) <= {6, 7, 8}


@given(st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_evenly_names_every_place_once(count: int) -> None:
    assert sorted(evenly(count)) == list(range(count))
