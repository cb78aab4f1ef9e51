"""Decides under which name a download is saved: the report's title, made safe for headers and for file systems."""

import re
import unicodedata
from urllib.parse import quote

MOST_BYTES = 180  # file systems take 255, some programs fewer
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]+')  # by one file system or another
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # Windows' names for devices


def content_disposition(title: str, report_id: str, extension: str = "xlsx") -> str:
    """The header's value, RFC 6266: a plain name for old readers, the whole one in UTF-8 (RFC 8187) beside it."""
    name = file_name(title, report_id, extension)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip(" .")
    if not plain.removesuffix(extension).strip(" ."):
        plain = f"{report_id}.{extension}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_name(title: str, report_id: str, extension: str = "xlsx") -> str:
    """The title as a file's name; the report's id where nothing of the title is left."""
    printable = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in title)
    stem = " ".join(_FORBIDDEN.sub("-", printable).split()).strip(" .-")
    stem = stem.encode()[:MOST_BYTES].decode(errors="ignore").rstrip(" .")
    if not stem or _DEVICE.match(stem):
        stem = report_id
    return f"{stem}.{extension}"
