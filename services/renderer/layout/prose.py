"""How text reads: the judge's markdown as plain text, how wide it is, how many lines it takes, which way it runs."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n?", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$\n?", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(.*?)[ \t#]*$", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]{0,3}>[ \t]?", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[-*+][ \t]+(?=\S)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\(([^()\s]{0,500})\)")
# Underscores stay: they are in names more often than around what is stressed.
_STRONG = re.compile(r"\*\*(?=\S)([^*\n]{1,2000}?)(?<=\S)\*\*")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,2000}?)(?<=[^\s*])\*(?![\w*])")
_CODE = re.compile(r"(`{1,2})([^`\n]{1,2000})\1")
_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)
_EMPTY_LINES = re.compile(r"\n{3,}")

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]+")
_SAMPLE = 2_000  # characters that decide the direction of a text, and how wide it is
_WIDEST = 100  # columns: wider than any column of the workbook


def plain_text(markdown: str) -> str:
    """The text without its marks; what is not surely a mark stays."""
    text = _RULE.sub("", _FENCE.sub("", markdown.replace("\r\n", "\n")))
    text = _QUOTE.sub("", _HEADING.sub(r"\1", _BREAK.sub("\n", text)))
    text = _CODE.sub(r"\2", _BULLET.sub(r"\1• ", _LINK.sub(_link_text, text)))
    text = _EMPHASIS.sub(r"\1", _STRONG.sub(r"\1", text))
    return _EMPTY_LINES.sub("\n\n", text).strip()


def shortened(text: str, characters: int) -> str:
    """The beginning of a text that stands in full elsewhere, cut between words."""
    if len(text) <= characters:
        return text
    kept = text[: characters - 1]
    return f"{kept[: kept.rfind(' ')] if kept.rfind(' ') > characters // 2 else kept} …"


def bullets(points: Iterable[str]) -> str:
    """The points, one a line."""
    return "\n".join(f"• {point}" for point in points)


def width(text: str) -> int:
    """The width of the widest line, in characters of a western font: Chinese, Japanese and Korean ones count 2.

    Looks no further than any column is wide.
    """
    return max(_line_width(line[:_WIDEST]) for line in text[:_SAMPLE].split("\n"))


def lines(text: str, columns: float) -> int:
    """How many lines the text takes when it is wrapped to this many columns."""
    return sum(max(1, -int(-_line_width(line) // max(columns, 1))) for line in text.split("\n"))


def runs_right_to_left(text: str) -> bool:
    """Most of its letters are of a script that runs from right to left."""
    if text.isascii():
        return False
    sample = text[:_SAMPLE]
    right_to_left = sum(map(len, _RIGHT_TO_LEFT.findall(sample)))
    return right_to_left > 0 and right_to_left * 2 > sum(map(str.isalpha, sample))


def _line_width(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(_character_width(character) for character in line)


@lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _link_text(match: re.Match[str]) -> str:
    text, target = match.group(1), match.group(2)
    return target if not text or text == target else f"{text} ({target})" if target else text
