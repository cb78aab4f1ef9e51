"""A zip file that depends on its contents alone: no clock, no file times, no owner."""

import shutil
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_UNIX = 3
_LEVEL = 3  # of 9: a third of the time of the default for a file an eighth larger
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip entry can have
_READABLE = 0o644 << 16


class Archive:
    """The part of `ZipFile` that a workbook is written through."""

    def __init__(self, path: Path) -> None:
        self._zip = ZipFile(path, "w", ZIP_DEFLATED, allowZip64=True)

    def writestr(self, name: str, data: str | bytes) -> None:
        """Add an entry."""
        self._zip.writestr(_entry(name), data)

    def write(self, file: str, name: str) -> None:
        """Add an entry from a file."""
        entry = _entry(name)
        source = Path(file)
        entry.file_size = source.stat().st_size  # decides whether the entry needs 64-bit sizes
        with source.open("rb") as content, self._zip.open(entry, "w") as target:
            shutil.copyfileobj(content, target, 1 << 20)

    def namelist(self) -> list[str]:
        """The names of the entries so far."""
        return self._zip.namelist()

    def close(self) -> None:
        """Write the directory."""
        self._zip.close()


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public way before Python 3.13
    entry.create_system = _UNIX
    entry.external_attr = _READABLE
    return entry
