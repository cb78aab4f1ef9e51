import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from shared.offsets import Entry, Offsets, Place, Work

HERE = Place("tasks", 0)
THERE = Place("tasks", 1)


@pytest.fixture
def offsets() -> Offsets:
    offsets = Offsets()
    offsets.assign({HERE}, {})
    return offsets


def delivered(offsets: Offsets, *numbers: int, place: Place = HERE, timestamp: int = 0) -> list[Entry]:
    entries = [offsets.deliver(place, number, timestamp) for number in numbers]
    return [entry for entry in entries if entry is not None]


def test_nothing_is_committed_past_a_record_that_is_not_done(offsets: Offsets) -> None:
    first, second, third = delivered(offsets, 0, 1, 2)

    offsets.finish(second)
    offsets.finish(third)

    assert offsets.committable() == {}
    offsets.finish(first)
    assert offsets.committable() == {HERE: 3}


def test_gaps_in_the_log_are_no_gaps_in_the_work(offsets: Offsets) -> None:
    for entry in delivered(offsets, 4, 9):
        offsets.finish(entry)

    assert offsets.committable() == {HERE: 10}


def test_a_record_that_failed_keeps_its_offset_open_until_it_is_done(offsets: Offsets) -> None:
    (entry,) = delivered(offsets, 0)

    assert offsets.fail(entry)
    assert offsets.committable() == {}
    assert offsets.retry(entry)
    offsets.finish(entry)

    assert offsets.committable() == {HERE: 1}


def test_a_record_that_has_to_wait_has_not_failed(offsets: Offsets) -> None:
    (entry,) = delivered(offsets, 0)

    assert offsets.postpone(entry)
    assert (entry.work, entry.attempt) == (Work.WAITING, 0)
    assert offsets.retry(entry)
    assert offsets.fail(entry)
    assert entry.attempt == 1


def test_a_record_delivered_again_while_it_runs_is_not_started_twice(offsets: Offsets) -> None:
    (entry,) = delivered(offsets, 0)
    offsets.revoke()
    offsets.assign({HERE}, {HERE: None})

    assert delivered(offsets, 0) == []
    offsets.finish(entry)

    assert offsets.committable() == {HERE: 1}


def test_what_was_done_before_a_rebalance_counts_only_after_it_was_delivered_again(offsets: Offsets) -> None:
    """The regression that lost 2 of 600: the mark jumped over records dropped while the partition was away."""
    first, second, third = delivered(offsets, 0, 1, 2)
    offsets.finish(third)
    offsets.finish(first)
    offsets.revoke()
    offsets.assign({THERE}, {})  # away: 1 still runs, 0 and 2 are forgotten
    offsets.finish(second)
    offsets.revoke()
    offsets.assign({HERE}, {HERE: None})  # and back, from the beginning

    assert offsets.committable() == {}
    (again,) = delivered(offsets, 0)
    assert offsets.committable() == {}
    offsets.finish(again)
    assert offsets.committable() == {HERE: 1}


def test_a_waiting_retry_whose_partition_left_and_came_back_does_not_stall(offsets: Offsets) -> None:
    """The other regression: the record must be worked on again, by the retry or by its new delivery, but once."""
    (entry,) = delivered(offsets, 0)
    offsets.fail(entry)
    offsets.revoke()
    offsets.assign({THERE}, {})
    offsets.revoke()
    offsets.assign({HERE}, {HERE: None})

    (again,) = delivered(offsets, 0)

    assert again is not entry
    assert not offsets.retry(entry)
    offsets.finish(again)
    assert offsets.committable() == {HERE: 1}


def test_a_retry_that_is_due_while_nothing_is_assigned_leaves_the_record_to_its_next_delivery(offsets: Offsets) -> None:
    (entry,) = delivered(offsets, 0)
    offsets.fail(entry)
    offsets.revoke()

    assert not offsets.retry(entry)
    offsets.assign({HERE}, {HERE: None})
    assert len(delivered(offsets, 0)) == 1


def test_what_was_adopted_leaves_the_window_to_its_next_delivery(offsets: Offsets) -> None:
    """A window of one that is filled by an adopted record would never let it be delivered again."""
    (entry,) = delivered(offsets, 0)
    offsets.revoke()
    offsets.assign({HERE}, {HERE: None})
    offsets.finish(entry)

    assert offsets.held(HERE) == 0
    assert delivered(offsets, 0) == []
    assert offsets.held(HERE) == 1
    assert offsets.committable() == {HERE: 1}


def test_another_record_at_the_same_offset_means_the_topic_was_made_anew(offsets: Offsets) -> None:
    delivered(offsets, 0, 1, timestamp=1)

    (fresh,) = delivered(offsets, 0, timestamp=2)
    offsets.finish(fresh)

    assert offsets.committable() == {HERE: 1}
    assert offsets.held(HERE) == 1


def test_what_was_held_of_the_old_topic_does_not_take_the_new_ones_open_records_with_it(offsets: Offsets) -> None:
    delivered(offsets, 0, 1)
    offsets.finish(delivered(offsets, 2)[0])
    offsets.assign({HERE}, {HERE: 1})  # the rebalance of the topic that was made anew; 1 and 2 are still held
    offsets.assign({HERE}, {})
    (open_one,) = delivered(offsets, 0, timestamp=1)
    (done_one,) = delivered(offsets, 1, timestamp=1)
    offsets.finish(done_one)

    assert offsets.committable() == {}
    offsets.finish(open_one)
    assert offsets.committable() == {HERE: 2}


def test_what_runs_of_a_topic_that_was_made_anew_does_not_count_for_the_new_one(offsets: Offsets) -> None:
    old = delivered(offsets, *range(6))
    for entry in old[:5]:
        offsets.finish(entry)
    offsets.committed(offsets.committable())

    (new,) = delivered(offsets, 0, timestamp=1)
    offsets.finish(new)
    offsets.finish(old[5])

    assert offsets.committable() == {HERE: 1}


def test_committed_offsets_are_forgotten(offsets: Offsets) -> None:
    for entry in delivered(offsets, 0, 1):
        offsets.finish(entry)

    offsets.committed({HERE: 2})

    assert offsets.held(HERE) == 0
    assert offsets.committable() == {}


class Consumption(RuleBasedStateMachine):
    """One member of a group against a naive log: whatever happens in whatever order, nothing is committed undone."""

    running: Bundle[Entry] = Bundle("running")
    waiting: Bundle[Entry] = Bundle("waiting")

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.group = {HERE: 0, THERE: 0}  # what the group has committed
        self.position: dict[Place, int] = {}
        self.done: dict[Place, set[int]] = {HERE: set(), THERE: set()}
        self.alive: list[Entry] = []
        self.assign_all()

    def assign_all(self) -> None:
        self.offsets.assign({HERE, THERE}, dict(self.group))
        self.position = dict(self.group)

    @rule(target=running, place=st.sampled_from([HERE, THERE]), count=st.integers(1, 4))
    def deliver(self, place: Place, count: int) -> MultipleResults[Entry]:
        if place not in self.position:
            return multiple()
        entries = []
        for _ in range(count):
            entry = self.offsets.deliver(place, self.position[place], timestamp=0)
            self.position[place] += 1
            if entry is not None:
                entries.append(entry)
        self.alive += entries
        return multiple(*entries)

    @rule(entry=consumes(running))
    def finish(self, entry: Entry) -> None:
        self.done[entry.place].add(entry.offset)
        self.offsets.finish(entry)

    @rule(target=waiting, entry=consumes(running))
    def fail(self, entry: Entry) -> MultipleResults[Entry]:
        return multiple(entry) if self.offsets.fail(entry) else multiple()

    @rule(target=waiting, entry=consumes(running))
    def postpone(self, entry: Entry) -> MultipleResults[Entry]:
        return multiple(entry) if self.offsets.postpone(entry) else multiple()

    @rule(target=running, entry=consumes(waiting))
    def retry(self, entry: Entry) -> MultipleResults[Entry]:
        return multiple(entry) if self.offsets.retry(entry) else multiple()

    @rule()
    def commit(self) -> None:
        marks = self.offsets.committable()
        self.group.update(marks)
        self.offsets.committed(marks)

    @rule(owned=st.sets(st.sampled_from([HERE, THERE])))
    def rebalance(self, owned: set[Place]) -> None:
        self.offsets.revoke()
        self.offsets.assign(owned, {place: self.group[place] for place in owned})
        self.position = {place: self.group[place] for place in owned}

    @rule(place=st.sampled_from([HERE, THERE]))
    def another_member_works(self, place: Place) -> None:
        if place not in self.position:
            self.done[place].add(self.group[place])
            self.group[place] += 1

    @invariant()
    def nothing_undone_lies_below_what_can_be_committed(self) -> None:
        for place, mark in self.offsets.committable().items():
            assert set(range(mark)) <= self.done[place]

    def teardown(self) -> None:
        """In the end everything can be committed: no record stalls its partition."""
        self.rebalance({HERE, THERE})
        for place in (HERE, THERE):
            ends = {entry.offset for entry in self.alive if entry.place == place}
            for offset in range(self.group[place], max(ends, default=-1) + 1):
                entry = self.offsets.deliver(place, offset, timestamp=0)
                if entry is not None:
                    self.finish(entry)
        for entry in self.alive:
            if entry.work is Work.RUNNING or (entry.work is Work.WAITING and self.offsets.retry(entry)):
                self.finish(entry)
        self.commit()
        for place in (HERE, THERE):
            ends = {entry.offset for entry in self.alive if entry.place == place}
            assert self.group[place] >= max(ends, default=-1) + 1


TestConsumption = Consumption.TestCase
TestConsumption.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
