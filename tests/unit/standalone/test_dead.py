"""What `assay dead` shows obeys nobody but the reader."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.client.dead import in_full, line, printable
from shared.letters import Address, Content, DeadLetter, letter

AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
KEPT_AT = Address("report.events.dead", 0, 17)


def dead(value: bytes | None, key: bytes | None = b"env-42", error: str = "unreadable: type: no such") -> DeadLetter:
    headers = (("ce_type", b"assay.PartPraised"), ("odd", b"\xff\x1b[2J"))
    return DeadLetter(KEPT_AT, AT, letter(Address("report.events", 3, 99), Content(value, key, headers), error).content)


def test_a_line_has_what_helps_to_decide() -> None:
    assert line(dead(b'{"type": "PartPraised", "report_id": "env-42"}')) == (
        "report.events.dead/0@17  2026-11-01T10:00:00Z  from report.events/3@99  46 bytes  report env-42"
        "  unreadable: type: no such"
    )


def test_a_line_of_a_letter_that_somebody_put_there_by_hand_is_a_line_too() -> None:
    assert "from ?/?@?  0 bytes" in line(DeadLetter(KEPT_AT, AT, Content(None)))


def test_one_in_full_has_key_headers_and_body() -> None:
    shown = in_full(dead("{\n\t“schön”: \x1b]0;title\x07\u202e}\r".encode() + b"\xff")).split("\n", 10)

    assert shown[:5] == [
        "address: report.events.dead/0@17",
        "time: 2026-11-01T10:00:00Z",
        "key: env-42",
        "ce_type: assay.PartPraised",
        r"odd: \xff\x1b[2J",
    ]
    assert shown[-1] == "{\n\t“schön”: \\x1b]0;title\\x07\\u202e}\\r\\xff"


@pytest.mark.parametrize("shown", [line(dead(b"{", error="bad\nreport.requests.dead/0@1")), printable("\x9b2J\x7f\b")])
def test_nothing_in_a_record_can_pretend_to_be_a_line_or_move_the_cursor(shown: str) -> None:
    assert shown.isprintable()


@given(st.binary())
def test_any_body_is_safe_for_a_terminal(body: bytes) -> None:
    shown = in_full(dead(body, body, body.decode("utf-8", "backslashreplace")))
    assert shown.translate({10: " ", 9: " "}).isprintable()
