"""Text in `results.csv` can be nothing but text."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.table import COLUMNS, line, safe_text
from tests.builders import NOON

HOSTILE = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "|calc", "\uff1d1", "%0A=1")


def read(text: str) -> list[str]:
    (row,) = csv.reader(io.StringIO(text, newline=""))
    return row


@pytest.mark.parametrize("text", HOSTILE)
def test_what_opens_like_a_formula_opens_with_an_apostrophe(text: str) -> None:
    assert safe_text(text).startswith("'")


@pytest.mark.parametrize("text", ["", "plain", "a = b", "2-1", "'quoted'", "\u0661", "e-mail@home"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@given(st.lists(st.text() | st.sampled_from(HOSTILE), min_size=1))
def test_every_line_is_read_back_as_the_safe_texts_in_utf_8(texts: list[str]) -> None:
    written = line(texts).encode().decode()
    assert written.endswith("\r\n")
    assert read(written) == [safe_text(text) for text in texts]


def test_numbers_are_bare_and_all_else_is_quoted() -> None:
    assert line(["a", 1, -0.5, True, None, NOON]) == '"a",1,-0.5,"true","","2026-11-24T12:00:00Z"\r\n'


def test_no_column_is_there_twice() -> None:
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
