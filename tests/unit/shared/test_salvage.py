import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.salvage import Salvaged, part_in, report_in


def body(**fields: object) -> bytes:
    return json.dumps({"type": "EvaluationTask", "report_id": "r", "part_id": "r/agent/7", **fields}).encode()


def test_a_broken_task_still_says_which_part_it_was_for() -> None:
    assert part_in(body(generation=3, deadline_at="soon")) == Salvaged("r", "r/agent/7", 3)


@pytest.mark.parametrize("generation", [None, "2", 0, -1, 1.5, True, [2]])
def test_a_generation_that_is_none_is_the_first(generation: object) -> None:
    assert part_in(body(generation=generation)) == Salvaged("r", "r/agent/7", 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"report_id": None},
        {"report_id": 7, "part_id": "7/agent/7"},
        {"report_id": "no id", "part_id": "no id/agent/7"},
        {"report_id": "r\n", "part_id": "r\n/agent/7"},
        {"part_id": None},
        {"part_id": ["r/agent/7"]},
        {"part_id": "other/agent/7"},
        {"part_id": "r"},
        {"part_id": "rr/agent/7"},
        {"part_id": "r/" + "x" * 1_000_000},
    ],
)
def test_a_part_that_is_not_certain_is_not_guessed(fields: dict[str, object]) -> None:
    assert part_in(body(**fields)) is None


@given(st.binary() | st.sampled_from([b"[]", b"null", b'"r"', b"[" * 100_000, body()[:-1], b"\xff" + body()]))
def test_what_is_no_object_names_nothing(content: bytes) -> None:
    assert part_in(content) is None
    assert report_in(content) is None


def test_a_report_is_read_where_there_is_no_part() -> None:
    assert report_in(b'{"type": "Unheard", "report_id": "env-42"}') == "env-42"
