"""What holds for a report whatever happens to it, in whatever order, and however often it is said."""

from collections.abc import Sequence
from itertools import pairwise, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.evaluations import Usage
from shared.messages import Event, PartDelayed, PartEvaluated, PartFailed
from shared.statuses import status_of
from shared.vocabulary import Reason, Status
from tests.builders import at
from tests.unit.renderer.folding import (
    OVERVIEW,
    AReport,
    accepted,
    cancelled,
    deadline,
    delayed,
    evaluated,
    failed,
    rejected,
    render,
    render_failed,
    rendered,
)

KEYS = ("a", "b", "c", "d")
SCORES = st.none() | st.integers(0, 70_000).map(lambda number: number / 7_000)  # most are not exact in binary
TIMES = st.integers(0, 90).map(at)
COSTS = st.none() | st.integers(0, 9_000).map(lambda number: number / 7_000)
USAGES = st.builds(
    lambda tokens, cost: Usage(model="m", input_tokens=tokens, output_tokens=tokens // 3, cost_usd=cost),
    st.integers(0, 50_000),
    COSTS,
)


def outcome(key: str) -> st.SearchStrategy[PartEvaluated | PartFailed]:
    judged = st.builds(
        lambda score, used, when: evaluated(key, score, usage=used, finished_at=when), SCORES, USAGES, TIMES
    )
    lost = st.builds(
        lambda reason, used, when: failed(key, reason, usage=used, finished_at=when),
        st.sampled_from([Reason.REFUSED, Reason.TIMED_OUT]),
        USAGES,
        TIMES,
    )
    return judged | judged | lost


OUTCOMES = st.tuples(*map(outcome, KEYS))
DELAYS = st.lists(st.builds(delayed, st.sampled_from(KEYS), st.integers(1, 4)), max_size=4)


def portions(data: st.DataObject, events: Sequence[Event]) -> list[list[Event]]:
    """The events in their order, in batches of any size."""
    found: list[list[Event]] = [[]]
    for event in events:
        if data.draw(st.booleans()):
            found.append([])
        found[-1].append(event)
    return [batch for batch in found if batch]


def disordered(data: st.DataObject, events: Sequence[Event]) -> list[list[Event]]:
    """The events in any order, some of them more than once, in batches of any size."""
    again = data.draw(st.lists(st.sampled_from(list(events)), max_size=4))
    return portions(data, data.draw(st.permutations([*events, *again])))


@given(OUTCOMES, outcome(OVERVIEW), DELAYS, st.data())
@settings(max_examples=30, deadline=None)
def test_any_order_and_repetition_of_outcomes_gives_the_same_report_and_parts(
    pieces: Sequence[PartEvaluated | PartFailed],
    overview: PartEvaluated | PartFailed,
    delays: Sequence[PartDelayed],
    data: st.DataObject,
) -> None:
    straight = AReport(KEYS, mode="concurrent").begun().each([*pieces, overview])
    crooked = AReport(KEYS, mode="concurrent").begun()
    for batch in disordered(data, [*pieces, overview, *delays]):
        crooked.folds(*batch)
    assert crooked.outcome == straight.outcome
    assert straight.status is Status.RENDERING


@given(OUTCOMES, outcome(OVERVIEW), DELAYS, st.data())
@settings(max_examples=30, deadline=None)
def test_the_same_holds_where_the_overview_comes_last(
    pieces: Sequence[PartEvaluated | PartFailed],
    overview: PartEvaluated | PartFailed,
    delays: Sequence[PartDelayed],
    data: st.DataObject,
) -> None:
    pieces = [evaluated(KEYS[0]), *pieces[1:]]
    straight = AReport(KEYS).begun().each([*pieces, overview])
    crooked = AReport(KEYS).begun()
    for batch in disordered(data, [*pieces, *delays]):
        crooked.folds(*batch)
    assert crooked.due.overview
    for batch in disordered(data, [overview, *pieces]):
        crooked.folds(*batch)
    assert crooked.outcome == straight.outcome


def test_the_same_holds_where_no_piece_was_judged() -> None:
    early, late = failed("7", finished_at=at(5)), failed("8", finished_at=at(9))
    assert AReport().begun().each([early, late]).outcome == AReport().begun().each([late, early]).outcome


def test_scores_and_costs_add_up_to_the_same_in_every_order() -> None:
    numbers = (1 / 7, 10 / 3, 7.1, 2.9)
    events = [
        evaluated(key, number, usage=Usage(model="m", input_tokens=1, cost_usd=number))
        for key, number in zip(KEYS, numbers, strict=True)
    ]
    found = [AReport(KEYS).begun().each(order).report for order in permutations(events)]
    assert all(report == found[0] for report in found)


# --- anything at all

ANYTHING: st.SearchStrategy[Event] = st.one_of(
    st.sampled_from(KEYS).flatmap(outcome),
    st.sampled_from(KEYS).flatmap(outcome),
    st.builds(delayed, st.sampled_from([*KEYS, OVERVIEW]), st.integers(1, 3)),
    outcome(OVERVIEW),
    st.sampled_from([accepted(), rejected(), deadline(), cancelled(), render(), rendered(), rendered(2), deadline(2)]),
    st.builds(render_failed, st.integers(1, 3)),
    st.just(evaluated(KEYS[0], generation=2)),
)
MODES = st.sampled_from(["synthesis", "concurrent"])
BEGINNINGS = st.lists(st.sampled_from([deadline(), cancelled(), rejected(), evaluated("a")]), max_size=1)


@given(st.lists(ANYTHING, max_size=25), BEGINNINGS, MODES, st.booleans())
@settings(max_examples=40, deadline=None)
def test_progress_never_falls_and_a_final_status_is_never_left(
    events: list[Event],
    before: list[Event],
    mode: str,
    fail_fast: bool,  # noqa: FBT001  # hypothesis passes by position
) -> None:
    report = AReport(KEYS, mode, fail_fast=fail_fast).each([accepted()])
    progress, seen = [0.0], [report.status]
    for event in [*before, report.plan, *events]:
        report.folds(event)
        progress.append(status_of(report.report).progress)
        seen.append(report.status)
    assert all(earlier <= later for earlier, later in pairwise(progress))
    assert all(later is earlier for earlier, later in pairwise(seen) if earlier.is_final)
    assert (progress[-1] == 100) is seen[-1].is_final


@given(st.lists(ANYTHING, max_size=25), MODES, st.booleans(), st.data())
@settings(max_examples=30, deadline=None)
def test_how_events_are_batched_makes_no_difference(
    events: list[Event],
    mode: str,
    fail_fast: bool,  # noqa: FBT001  # hypothesis passes by position
    data: st.DataObject,
) -> None:
    one_by_one = AReport(KEYS, mode, fail_fast=fail_fast).begun().each(events)
    in_batches = AReport(KEYS, mode, fail_fast=fail_fast).begun()
    for batch in portions(data, events):
        in_batches.folds(*batch)
    assert in_batches.outcome == one_by_one.outcome


@given(st.lists(ANYTHING, max_size=25), MODES)
@settings(max_examples=30, deadline=None)
def test_a_deadline_and_a_workbook_end_every_report(events: list[Event], mode: str) -> None:
    report = AReport(KEYS, mode).begun().each(events).each([deadline(), rendered()])
    assert report.status.is_final
    assert status_of(report.report).counts.pending == 0
    assert not report.due.render
    assert not report.due.overview


@given(st.lists(ANYTHING, max_size=25), MODES)
@settings(max_examples=40, deadline=None)
def test_a_batch_that_is_delivered_again_changes_nothing_but_wishes(events: list[Event], mode: str) -> None:
    wishes = ("RenderRequested", "WorkbookRendered", "RenderFailed")
    told = [event for event in events if event.type not in wishes]
    report = AReport(KEYS, mode).begun().each(told)
    assert report.folds(*told).change is None
