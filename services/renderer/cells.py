"""What may stand in a cell: text that Excel and XML can hold, numbers that lose no digit, times in UTC, legal names."""

import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

CellValue = str | int | float | bool | datetime | None

MAX_UNITS = 32_767  # what a cell holds, in UTF-16 units
MAX_NAME_UNITS = 31
MAX_EXACT_INTEGER = 10**15  # Excel keeps 15 digits
SHORTENED = " … [shortened]"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
# One character class first, so that the search skips what is clean at the speed of a scan.
_SUSPECT = re.compile(rf"[{_ILLEGAL}\r_](?:(?<!_)|x[0-9A-Fa-f]{{4}}_)")
_ILLEGAL_CHARACTER = re.compile(f"[{_ILLEGAL}]")
_LINE_END = re.compile(r"\r\n?")
_READ_AS_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = "_x005F_"
_NOT_IN_A_NAME = re.compile(rf"[\\/?*:\[\]\s{_ILLEGAL}]+")
_OPENS_LIKE_CODE = ("=", "+", "-", "@", "#", "'", "\t")
_JOINER = "\N{ZERO WIDTH JOINER}"
_EARLIEST_YEAR = 1901  # Excel's calendar starts in 1900 and has that year wrong
_CLUSTER = 64  # characters a cut steps back at most; a longer cluster is noise


class Safe(NamedTuple):
    """A value that Excel shows as it was meant, and whether that took a change."""

    value: CellValue
    cleaned: bool = False
    shortened: bool = False


def safe(value: CellValue) -> Safe:
    """The value as a cell can hold it. Text stays text, whatever it looks like; naive times are taken as UTC."""
    if isinstance(value, str):
        return safe_text(str(value))
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return Safe(moment if moment.year >= _EARLIEST_YEAR else f"{moment.isoformat(sep=' ')} UTC")
    if isinstance(value, float) and not math.isfinite(value):
        return Safe("n/a")
    if isinstance(value, int) and abs(value) >= MAX_EXACT_INTEGER:
        return Safe(_digits(value))
    return Safe(value)


def is_plain(text: str) -> bool:
    """Nothing in the text needs a change: the common case, decided by one search."""
    return len(text) * 2 <= MAX_UNITS and not _SUSPECT.search(text)


def safe_text(text: str) -> Safe:
    """The text without what XML forbids, with Excel's escapes escaped, and no longer than a cell."""
    if is_plain(text):
        return Safe(text)
    legal, illegal = _ILLEGAL_CHARACTER.subn(REPLACEMENT, _LINE_END.sub("\n", text))
    escaped = _READ_AS_ESCAPE.sub(_ESCAPE, legal)
    if _units(escaped) <= MAX_UNITS:
        return Safe(escaped, cleaned=illegal > 0)
    return Safe(_cut(escaped, MAX_UNITS - _units(SHORTENED)) + SHORTENED, cleaned=illegal > 0, shortened=True)


def opens_like_code(text: str) -> bool:
    """Excel would read the text as a formula, a number or an error when somebody edits the cell."""
    return text.startswith(_OPENS_LIKE_CODE)


class SheetNames:
    """Names for sheets: legal, within 31 UTF-16 units, each given once whatever the case of its letters."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = {_folded("History")} | {_folded(name) for name in reserved}  # "History" is Excel's own

    def claim(self, wanted: str) -> str:
        """The name nearest to the wanted one that is free; it is taken from now on."""
        readable = _READ_AS_ESCAPE.sub("-", _NOT_IN_A_NAME.sub(" ", wanted))
        stem = _trimmed(readable, MAX_NAME_UNITS) or "Part"
        name, number = stem, 1
        while _folded(name) in self._taken:
            number += 1
            suffix = f" ({number})"
            name = _trimmed(stem, MAX_NAME_UNITS - len(suffix)) + suffix
        self._taken.add(_folded(name))
        return name


def reference(sheet: str, row: int = 1) -> str:
    """The address of the first cell of a row, for a link inside the workbook."""
    quoted = sheet.replace("'", "''")
    return f"'{quoted}'!A{row}"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, units: int) -> str:
    """The longest beginning within the units that ends between two characters as a reader sees them."""
    kept = text.encode("utf-16-le", "surrogatepass")[: units * 2].decode("utf-16-le", "ignore")
    end = len(kept)
    for back in range(min(_CLUSTER, end)):
        if not _is_inside(text, end - back):
            return text[: end - back]
    return kept


def _is_inside(text: str, at: int) -> bool:
    """A cut here would part a character from its marks, or an escape from its rest."""
    if at >= len(text):
        return False
    following = text[at]
    if unicodedata.category(following).startswith("M") or _JOINER in (following, text[at - 1]):
        return True
    if "\N{EMOJI MODIFIER FITZPATRICK TYPE-1-2}" <= following <= "\N{EMOJI MODIFIER FITZPATRICK TYPE-6}":
        return True
    opened = text.rfind(_ESCAPE, max(0, at - len(_ESCAPE) + 1), at + len(_ESCAPE) - 1)
    return opened != -1 and opened < at < opened + len(_ESCAPE)


def _digits(value: int) -> str:
    """All digits, also where there are more than the interpreter likes to convert at once."""
    try:
        return str(value)
    except ValueError:
        return hex(value)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _trimmed(name: str, units: int) -> str:
    return _cut(name.strip(" '"), units).strip(" '")
