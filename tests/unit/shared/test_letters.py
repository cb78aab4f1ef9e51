from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.letters import (
    Address,
    AddressError,
    Content,
    DeadLetter,
    Headers,
    RawRecord,
    UndeliverableError,
    address_of,
    cut,
    letter,
)

ORIGIN = Address("evaluation.tasks", 17, 42)
KEPT_AT = Address("evaluation.tasks.dead", 0, 3)
HEADERS: Headers = (("ce_type", b"assay.EvaluationTask"), ("odd", b"\xff\xfe"), ("odd", b"twice"), ("empty", None))


def kept(record: RawRecord) -> DeadLetter:
    return DeadLetter(KEPT_AT, datetime(2026, 11, 1, tzinfo=UTC), record.content)


contents = st.builds(
    Content,
    st.binary(),
    st.none() | st.binary(),
    st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=4).map(tuple),
)


@given(contents, st.text())
def test_a_dead_letter_is_the_record_as_it_came_and_replayed_it_is_so_again(came: Content, error: str) -> None:
    dead = letter(ORIGIN, came, error)
    again = kept(dead).replay

    assert dead.topic == "evaluation.tasks.dead"
    assert dead.content[:2] == came[:2]
    assert dead.content.headers[: len(came.headers)] == came.headers
    assert again.topic == "evaluation.tasks"
    assert again.content == (*came[:2], (*came.headers, ("x-replayed-from", b"evaluation.tasks.dead/0@3")))


def test_a_dead_letter_says_its_origin_and_the_error() -> None:
    dead = kept(letter(ORIGIN, Content(b"{", b"k", HEADERS), "unreadable: \ud800"))

    assert dead.origin == "evaluation.tasks/17@42"
    assert dead.error == "unreadable: ?"
    assert dead.content.headers[:4] == HEADERS


def test_without_a_key_a_record_goes_back_to_its_partition_and_with_one_where_its_key_belongs() -> None:
    assert kept(letter(ORIGIN, Content(b"{"), "why")).replay.partition == 17
    assert kept(letter(ORIGIN, Content(b"{", b"k"), "why")).replay.partition is None
    assert kept(RawRecord("t", Content(b"by hand"))).replay.partition is None


def test_a_record_that_dies_again_says_its_last_death_alone() -> None:
    first = kept(letter(ORIGIN, Content(b"{", None, HEADERS), "first"))
    second = kept(letter(Address("evaluation.tasks", 17, 50), first.replay.content, "second"))

    assert second.error == "second"
    assert [name for name, _ in second.replay.content.headers].count("x-replayed-from") == 1
    assert second.origin == "evaluation.tasks/17@50"


def test_a_record_with_nothing_in_it_can_be_kept() -> None:
    assert letter(ORIGIN, Content(None, None), "why").content.value == b""
    assert letter(ORIGIN, Content(None, b"k"), "why").content.value is None


def test_what_is_too_large_is_cut_says_so_and_is_not_replayed() -> None:
    small = cut(letter(ORIGIN, Content(b"x" * 5_000_000, b"k" * 5_000, (("large", b"x" * 5_000_000),)), "why"))
    value, key, headers = small.content

    assert len(value or b"") + len(key or b"") + sum(len(content or b"") for _, content in headers) < 510_000
    assert kept(small).error == "why"
    with pytest.raises(UndeliverableError, match="5000000 bytes"):
        _ = kept(small).replay


def test_an_address_is_read_as_it_is_written() -> None:
    assert address_of(str(KEPT_AT)) == KEPT_AT


@pytest.mark.parametrize("text", ["", "report.requests.dead", "t/0", "t@1", "t/0@-1", "t/x@1", "t/0@1 ", "a b/0@1"])
def test_what_is_no_address_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(AddressError, match=r"report\.requests\.dead/0@17"):
        address_of(text)
