"""What text, numbers, times and sheet names look like when a cell may hold them."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.renderer.cells import (
    MAX_NAME_UNITS,
    MAX_UNITS,
    SHORTENED,
    CellValue,
    Safe,
    SheetNames,
    opens_like_code,
    reference,
    safe,
)
from services.renderer.layout.prose import lines, plain_text, runs_right_to_left, shortened, width


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def written(value: CellValue) -> str:
    result = safe(value).value
    assert isinstance(result, str)
    return result


@pytest.mark.parametrize(
    "text", ["", "plain", "two\nlines", "tab\tbed", "日本語", "مرحبا", "👩‍👩‍👧", "_x", "a_xyz_b", "=1+1", "#N/A"]
)
def test_text_that_excel_can_hold_is_left_alone(text: str) -> None:
    assert safe(text) == Safe(text)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\x1f", "\ufffe", "\uffff", "\udbff"])
def test_a_character_that_xml_forbids_becomes_a_visible_one_and_is_counted(character: str) -> None:
    assert safe(f"a{character}b") == Safe("a\ufffdb", cleaned=True)


def test_line_ends_become_one_kind_without_being_counted() -> None:
    assert safe("a\r\nb\rc\nd") == Safe("a\nb\nc\nd")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("_x0041_", "_x005F_x0041_"),
        ("a_x005F_b", "a_x005F_x005F_b"),
        ("_x0041_x0042_", "_x005F_x0041_x005F_x0042_"),
        ("_xABcd_", "_x005F_xABcd_"),
        ("_x004_", "_x004_"),
        ("_xZZZZ_", "_xZZZZ_"),
    ],
)
def test_what_excel_would_decode_is_escaped(text: str, escaped: str) -> None:
    assert safe(text) == Safe(escaped)


def test_text_as_long_as_a_cell_is_left_alone() -> None:
    assert safe("x" * MAX_UNITS) == Safe("x" * MAX_UNITS)


def test_longer_text_is_cut_with_a_visible_mark_and_counted() -> None:
    result = safe("x" * (MAX_UNITS + 1))
    assert result.shortened
    assert not result.cleaned
    assert str(result.value).endswith("[shortened]")
    assert units(str(result.value)) == MAX_UNITS


def test_length_is_counted_in_utf_16_units() -> None:
    assert safe("😀" * (MAX_UNITS // 2)) == Safe("😀" * (MAX_UNITS // 2))
    assert safe("😀" * (MAX_UNITS // 2 + 1)).shortened


@pytest.mark.parametrize("cluster", ["😀", "e\u0301\u0302", "👩\u200d👩\u200d👧", "👍\U0001f3fd", "न\u093f", "_x005F_"])
@pytest.mark.parametrize("shift", range(8))
def test_a_cut_never_falls_inside_a_character(cluster: str, shift: int) -> None:
    text = written("x" * shift + cluster * MAX_UNITS)
    kept = text.removesuffix(SHORTENED)[shift:].replace("_x005F_x005F_", "_x005F_")
    assert units(text) <= MAX_UNITS
    assert kept == cluster * (len(kept) // len(cluster))


@given(st.text(st.characters(), max_size=200), st.integers(0, 200))
def test_any_text_fits_a_cell_and_its_xml(text: str, copies: int) -> None:
    result = written(text * copies)
    assert units(result) <= MAX_UNITS
    result.encode()
    assert not any(ord(character) < 32 and character not in "\t\n" for character in result)


def test_a_string_that_knows_more_is_written_as_a_plain_one() -> None:
    class Special(str):
        __slots__ = ()

    assert type(safe(Special("a")).value) is str


@pytest.mark.parametrize("value", [0, -1, 999_999_999_999_999, 0.5, -3.25, 1e300, True, False, None])
def test_numbers_that_keep_their_digits_stay_numbers(value: CellValue) -> None:
    assert safe(value).value is value


@pytest.mark.parametrize("value", [10**15, -(10**15), 12345678901234567890, 10**400])
def test_an_integer_of_more_than_fifteen_digits_becomes_text(value: int) -> None:
    assert safe(value) == Safe(str(value))


def test_an_integer_too_long_to_be_printed_is_still_text() -> None:
    assert written(10**30_000).startswith("0x")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_says_so(value: float) -> None:
    assert safe(value) == Safe("n/a")


def test_a_time_is_written_in_utc_without_its_zone() -> None:
    berlin = datetime(2026, 11, 24, 13, 30, tzinfo=timezone(timedelta(hours=1)))
    assert safe(berlin) == Safe(datetime(2026, 11, 24, 12, 30))  # noqa: DTZ001  # as Excel has it


def test_a_time_before_excels_calendar_is_text() -> None:
    assert safe(datetime(1850, 1, 2, tzinfo=UTC)) == Safe("1850-01-02 00:00:00 UTC")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "#N/A", "\t=1", "'quoted"])
def test_text_that_opens_like_code_is_recognised(text: str) -> None:
    assert opens_like_code(text)
    assert not opens_like_code(f"x{text}")


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Billing", "Billing"),
        ("a/b\\c?d*e:f[g]h", "a b c d e f g h"),
        ("'quoted'", "quoted"),
        ("it's", "it's"),
        ("  spaces\n here ", "spaces here"),
        ("", "Part"),
        ("///", "Part"),
        ("History", "History (2)"),
        ("hiStory", "hiStory (2)"),
        ("_x0041_", "-x0041_"),
        ("bell\x07", "bell"),
        ("x" * 40, "x" * 31),
        ("x" * 30 + "'y", "x" * 30),
        ("x" * 30 + "😀", "x" * 30),
    ],
)
def test_a_sheets_name_is_made_legal(wanted: str, name: str) -> None:
    assert SheetNames().claim(wanted) == name


def test_a_name_is_given_once_whatever_the_case_of_its_letters() -> None:
    names = SheetNames(["Summary"])
    assert [names.claim(name) for name in ("SUMMARY", "straße", "STRASSE", "summary")] == [
        "SUMMARY (2)",
        "straße",
        "STRASSE (2)",
        "summary (3)",
    ]


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_names_become_different_legal_ones(wanted: list[str]) -> None:
    names = SheetNames(["Summary"])
    given_names = [names.claim(name) for name in wanted]
    assert len({name.casefold() for name in given_names}) == len(wanted)
    for name in given_names:
        assert 0 < units(name) <= MAX_NAME_UNITS
        assert not set(name) & set("\\/?*:[]")
        assert not name.startswith("'")
        assert not name.endswith("'")


def test_a_link_quotes_the_name_of_its_sheet() -> None:
    assert reference("it's", 7) == "'it''s'!A7"


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("**bold** and *soft* and `code`", "bold and soft and code"),
        ("# Title\n\ntext", "Title\n\ntext"),
        ("- one\n- two", "• one\n• two"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("[a link](https://example.org)", "a link (https://example.org)"),
        ("![](https://example.org/x.png)", "https://example.org/x.png"),
        ("```python\nx = 1\n```", "x = 1"),
        ("> quoted", "quoted"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("one<br>two", "one\ntwo"),
        ("snake_case_name and __init__", "snake_case_name and __init__"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("use **kwargs", "use **kwargs"),
        ("=SUM(A1)", "=SUM(A1)"),
    ],
)
def test_markdown_becomes_plain_text_and_the_rest_stays(markdown: str, plain: str) -> None:
    assert plain_text(markdown) == plain


def test_a_chinese_character_is_as_wide_as_two_letters() -> None:
    assert width("日本") == 4
    assert width("ab\nabcd") == 4
    assert lines("日本日本", 4) == 2
    assert lines("a\n\nb", 10) == 3


def test_the_direction_of_a_text_is_that_of_most_of_its_letters() -> None:
    assert runs_right_to_left("مرحبا بالعالم")
    assert runs_right_to_left("שלום ok")
    assert not runs_right_to_left("hello مرحبا world")
    assert not runs_right_to_left("日本語")
    assert not runs_right_to_left("12:30")


def test_a_long_text_is_shortened_between_words() -> None:
    assert shortened("one two three four", 12) == "one two …"
    assert shortened("one", 12) == "one"
