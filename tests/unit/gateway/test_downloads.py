"""Under which name a workbook is saved."""

import pytest

from services.gateway.downloads import MOST_BYTES, content_disposition, file_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Support agents, November", "Support agents, November.xlsx"),
        ("", "r1.xlsx"),
        ("  \t ", "r1.xlsx"),
        ("../../etc/passwd", "etc-passwd.xlsx"),
        ("a/b\\c:d", "a-b-c-d.xlsx"),
        ('say "hi"\r\nSet-Cookie: x=1', "say -hi- Set-Cookie- x=1.xlsx"),
        ("CON", "r1.xlsx"),
        ("lpt1.old", "r1.xlsx"),
        ("ends with dots...", "ends with dots.xlsx"),
        ("right\u202eto left", "right to left.xlsx"),
        ("Überblick 概要", "Überblick 概要.xlsx"),
    ],
)
def test_a_title_becomes_a_name_that_every_file_system_takes(title: str, name: str) -> None:
    assert file_name(title, "r1") == name


def test_a_long_title_is_cut_between_characters() -> None:
    name = file_name("概" * 200, "r1")
    assert len(name.encode()) <= MOST_BYTES + len(".xlsx")
    assert set(name.removesuffix(".xlsx")) == {"概"}


def test_the_header_has_a_plain_name_and_the_whole_one() -> None:
    assert content_disposition("Überblick", "r1") == (
        "attachment; filename=\"Uberblick.xlsx\"; filename*=UTF-8''%C3%9Cberblick.xlsx"
    )


def test_where_nothing_of_the_title_is_plain_the_plain_name_is_the_id() -> None:
    assert 'filename="r1.xlsx"' in content_disposition("概要", "r1")


@pytest.mark.parametrize("title", ['"; filename=evil.exe', "a\r\nb", "ﬁ\u2044ne", "100 % sure; really"])
def test_no_title_breaks_out_of_the_header(title: str) -> None:
    header = content_disposition(title, "r1")
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in header
