"""One trace per report: its request's, else one that everybody can compute."""

import pytest

from shared.traces import about, derived, parsed

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def test_a_report_keeps_the_trace_that_its_request_came_with() -> None:
    place = about("r-1", None, GIVEN).trace
    assert place.traceparent == GIVEN
    assert place.trace_id == "0af7651916cd43dd8448eb211c80319c"


def test_without_one_every_process_computes_the_same_and_another_report_another() -> None:
    assert about("r-1", "a", None).trace == about("r-1", "b", "").trace == derived("r-1")
    assert derived("r-1").trace_id != derived("r-2").trace_id
    assert parsed(derived("r-1").traceparent) == derived("r-1")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        GIVEN.upper(),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        GIVEN.replace("b7ad6b7169203331", "0" * 16),
    ],
)
def test_a_header_that_names_no_place_is_none(header: str | None) -> None:
    assert parsed(header) is None
