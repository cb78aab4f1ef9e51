"""A broker in memory: topics that can be made anew, one group each, and the law about what its members commit."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.model.processes import Process

Must = Callable[[bool, str], None]


class Record(NamedTuple):
    """What a consumer reads; the timestamp tells a topic from the one that was there before."""

    partition: int
    offset: int
    timestamp: int
    value: Any
    headers: tuple[()] = ()


class Consumer:
    """One member of a topic's group, as long as its process holds on to it."""

    def __init__(self, topic: "Topic", process: Process) -> None:
        self.topic = topic
        self.process = process
        self.owned: dict[int, int] = {}  # partitions and positions
        self.epoch = 0  # the rebalance it last took part in
        self.wake = asyncio.Event()
        self.on_revoked: Callable[[], None] = lambda: None
        self.on_assigned: Callable[[dict[int, int]], None] = lambda _: None

    def has_records(self, wanted: Callable[[int], bool] = lambda _: True) -> bool:
        return any(position < len(self.topic.logs[place]) for place, position in self.owned.items() if wanted(place))

    def take(self, most: int, wanted: Callable[[int], bool] = lambda _: True) -> list[Record]:
        """The next records, in order within their partitions."""
        found: list[Record] = []
        for place in [place for place in self.owned if wanted(place)]:
            position = self.owned[place]
            records = self.topic.logs[place][position : position + most - len(found)]
            self.owned[place] += len(records)
            found += records
        return found

    def commit(self, marks: dict[int, int], epoch: int) -> bool:
        """False if the group has moved on since, as for a zombie."""
        if epoch != self.topic.epoch or not set(marks) <= set(self.owned):
            return False
        self.topic.commit(marks)
        return True


class Topic:
    """An append-only log per partition."""

    def __init__(self, name: str, partitions: int, must: Must) -> None:
        self.name = name
        self.logs: list[list[Record]] = [[] for _ in range(partitions)]
        self.committed = dict.fromkeys(range(partitions), 0)
        self.members: list[Consumer] = []
        self.epoch = 0
        self.made_anew = 0
        self.done: defaultdict[int, set[int]] = defaultdict(set)
        self._must = must

    def append(self, partition: int, value: object) -> None:
        log = self.logs[partition]
        log.append(Record(partition, len(log), self.made_anew, value))
        for member in self.members:
            member.wake.set()

    def handled(self, record: Record) -> None:
        """Somebody has done all that this record asks for."""
        if record.timestamp == self.made_anew:
            self.done[record.partition].add(record.offset)

    def commit(self, marks: dict[int, int]) -> None:
        for partition, mark in marks.items():
            undone = set(range(self.committed[partition], mark)) - self.done[partition]
            self._must(not undone, f"{self.name}/{partition}: {mark} committed, {sorted(undone)} not done")
            self.committed[partition] = mark

    def rebalance(self, turn: int = 0) -> None:
        """Everything is taken away, then given out anew, from the committed offsets on."""
        for member in self.members:
            member.on_revoked()
        self.epoch += 1
        for member in self.members:
            member.owned = {}
            member.epoch = self.epoch
        for partition, mark in self.committed.items():
            if self.members:
                self.members[(partition + turn) % len(self.members)].owned[partition] = mark
        for member in self.members:
            member.on_assigned(dict(member.owned))
            member.wake.set()

    def join(self, consumer: Consumer) -> None:
        self.members.append(consumer)
        self.rebalance()

    def part(self, consumer: Consumer) -> None:
        """The group goes on without this member, which need not know it."""
        if consumer in self.members:
            self.members.remove(consumer)
            self.rebalance()

    def make_anew(self) -> None:
        """Delete and create it: the records are gone, and so are the group's offsets."""
        self.made_anew += 1
        self.done.clear()
        self.logs = [[] for _ in self.logs]
        self.committed = dict.fromkeys(self.committed, 0)
        for member in self.members:
            member.epoch = -1  # what was revoked of the old topic is not committed to the new one
        self.rebalance()
