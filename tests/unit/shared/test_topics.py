from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.topics import dead, named, task_partition
from shared.vocabulary import Lane


@given(st.text(min_size=1), st.integers(1, 60), st.integers(1, 24))
def test_a_reports_parts_are_spread_evenly_over_the_partitions(report_id: str, parts: int, partitions: int) -> None:
    loads = Counter(task_partition(report_id, index, partitions) for index in range(parts))

    assert max(loads.values()) - (min(loads.values()) if len(loads) == partitions else 0) <= 1


def test_topics_carry_the_prefix() -> None:
    topics = named("test-1.")

    assert topics.of_lane(Lane.BULK) == "test-1.evaluation.tasks.bulk"
    assert dead(topics.requests) == "test-1.report.requests.dead"
