"""The topics by name, and which partition a task travels in."""

from typing import NamedTuple
from zlib import crc32

from shared.vocabulary import Lane

DEAD = ".dead"
"""What the topic of another one's dead letters ends with."""


class Topics(NamedTuple):
    """The names, with the configured prefix."""

    requests: str
    tasks: str
    bulk: str
    events: str
    status: str

    def of_lane(self, lane: Lane) -> str:
        """Where the tasks of a lane travel."""
        return self.bulk if lane is Lane.BULK else self.tasks


def named(prefix: str) -> Topics:
    """The topics under a prefix."""
    return Topics(
        requests=f"{prefix}report.requests",
        tasks=f"{prefix}evaluation.tasks",
        bulk=f"{prefix}evaluation.tasks.bulk",
        events=f"{prefix}report.events",
        status=f"{prefix}report.status",
    )


def dead(topic: str) -> str:
    """Where unreadable or unprocessable records of a topic go."""
    return topic + DEAD


def task_partition(report_id: str, index: int, partitions: int) -> int:
    """The partition of a part's task: a report's parts are spread evenly, and reports start at different places."""
    return (crc32(report_id.encode()) + index) % partitions
