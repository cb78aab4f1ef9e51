"""Which offsets of a consumer may be committed while many of its records are being worked on at once.

Rule 1: an offset is committed only when every record before it is done.
Rule 2: what was held over a rebalance counts again only after it was delivered again in the new assignment (its `era`).
Without rule 2 the committed offset could jump over records that were dropped while their partition was away.

Every method is called from one event loop and does not wait. Nothing here knows Kafka's client.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Work(Enum):
    """What is being done about a record."""

    RUNNING = auto()
    WAITING = auto()  # for its next attempt
    DONE = auto()


@dataclass(slots=True)
class Entry:
    """One record that was received and is not committed yet; `attempt` counts failures."""

    place: Place
    offset: int
    timestamp: int
    era: int
    work: Work = Work.RUNNING
    attempt: int = 0


@dataclass(slots=True)
class _Partition:
    era: int = 0
    reached: int = 0  # the next offset that can be delivered in this era
    entries: dict[int, Entry] = field(default_factory=dict)


class Offsets:
    """The open records of one consumer, by partition."""

    def __init__(self) -> None:
        self._partitions: dict[Place, _Partition] = {}
        self._owned: frozenset[Place] = frozenset()
        self._committed: dict[Place, int] = {}

    @property
    def marks(self) -> Mapping[Place, int]:
        """What the group has committed of the owned partitions, as far as it is known."""
        return {place: offset for place, offset in self._committed.items() if place in self._owned}

    @property
    def oldest(self) -> int | None:
        """When the oldest record of the owned partitions that is not done was published, in milliseconds."""
        open_ones = (
            entry.timestamp
            for place in self._owned
            if place in self._partitions
            for entry in self._partitions[place].entries.values()
            if entry.work is not Work.DONE
        )
        return min(open_ones, default=None)

    def held(self, place: Place) -> int:
        """How many records of a partition this assignment has delivered and not committed: what its window bounds.

        Those adopted from before wait to be delivered again; were they to fill the window, that could never be.
        """
        partition = self._partitions.get(place)
        return sum(entry.era == partition.era for entry in partition.entries.values()) if partition else 0

    def deliver(self, place: Place, offset: int, timestamp: int) -> Entry | None:
        """Take a record; returns its entry if it is to be worked on, None if we still hold it from before."""
        partition = self._partitions.setdefault(place, _Partition())
        if offset < partition.reached:  # deliveries go forward: the topic was made anew, what is held is of the old one
            partition.era += 1
        partition.reached = offset + 1
        old = partition.entries.get(offset)
        if old is not None and old.timestamp == timestamp:
            old.era = partition.era
            return None
        if (
            old is not None
        ):  # the same offset for another record: the topic was made anew, and what is of before is void
            partition.entries = {at: held for at, held in partition.entries.items() if held.era == partition.era}
        entry = Entry(place, offset, timestamp, partition.era)
        partition.entries[offset] = entry
        return entry

    def finish(self, entry: Entry) -> None:
        """The record is dealt with, for good."""
        entry.work = Work.DONE
        if entry.place not in self._owned:
            self._forget(entry)

    def fail(self, entry: Entry) -> bool:
        """The attempt failed; True if it is ours to try again, False if the partition's new owner will."""
        entry.attempt += 1
        return self.postpone(entry)

    def postpone(self, entry: Entry) -> bool:
        """The record has to wait, which is no failure; True if it is ours to take up again, as for `fail`."""
        entry.work = Work.WAITING
        if entry.place not in self._owned:
            self._forget(entry)
            return False
        return True

    def retry(self, entry: Entry) -> bool:
        """The wait is over; True if the record is to be worked on again, False if it is no longer held here."""
        if not self._holds(entry):
            return False
        if entry.place not in self._owned:
            self._forget(entry)  # should the partition come back, the record is delivered anew
            return False
        entry.work = Work.RUNNING
        return True

    def revoke(self) -> None:
        """All partitions are taken away, as every rebalance of the eager protocol does first."""
        self._owned = frozenset()

    def assign(self, owned: Collection[Place], committed: Mapping[Place, int | None]) -> int:
        """These partitions are ours now, read from their committed offsets on. Returns how many records were orphaned.

        Of partitions that left, only what runs is kept: its result may still come, its offset never counts.
        """
        self._owned = frozenset(owned)
        self._committed = {place: committed.get(place) or 0 for place in owned}
        orphans = 0
        for place, partition in [*self._partitions.items()]:
            if place in self._owned:
                partition.era += 1
                partition.reached = 0
                _drop_below(partition, committed.get(place) or 0)
                continue
            partition.entries = {
                offset: entry for offset, entry in partition.entries.items() if entry.work is Work.RUNNING
            }
            orphans += len(partition.entries)
            if not partition.entries:
                del self._partitions[place]
        return orphans

    def committable(self) -> dict[Place, int]:
        """The next offset to read, for every owned partition that has got further."""
        marks = {place: _mark(self._partitions[place]) for place in self._owned if place in self._partitions}
        return {place: mark for place, mark in marks.items() if mark is not None}

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """These offsets are committed: what lies below is forgotten."""
        self._committed.update(offsets)
        for place, offset in offsets.items():
            if place in self._partitions:
                _drop_below(self._partitions[place], offset)

    def _holds(self, entry: Entry) -> bool:
        partition = self._partitions.get(entry.place)
        return partition is not None and partition.entries.get(entry.offset) is entry

    def _forget(self, entry: Entry) -> None:
        if self._holds(entry):
            del self._partitions[entry.place].entries[entry.offset]


def _mark(partition: _Partition) -> int | None:
    """The end of the unbroken run of done records at the start of this era's deliveries."""
    mark = None
    for offset in sorted(partition.entries):
        entry = partition.entries[offset]
        if entry.era != partition.era:
            continue
        if entry.work is not Work.DONE:
            break
        mark = offset + 1
    return mark


def _drop_below(partition: _Partition, offset: int) -> None:
    for known in [known for known in partition.entries if known < offset]:
        del partition.entries[known]
