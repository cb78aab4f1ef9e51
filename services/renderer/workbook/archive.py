"""A zip file that depends on its contents alone: no clock, no file times, no owner. Entries are written one by one."""

import shutil
import tempfile
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_UNIX = 3
_LEVEL = 3  # of 9: a third of the time of the default for a file an eighth larger
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip entry can have
_READABLE = 0o644 << 16


class Archive:
    """The part of `ZipFile` that a workbook is written through: a temporary file until it is kept."""

    def __init__(self) -> None:
        with tempfile.NamedTemporaryFile(prefix="assay-workbook-", suffix=".xlsx", delete=False) as file:
            self._path = Path(file.name)
        self._zip = ZipFile(self._path, "w", ZIP_DEFLATED)
        self._entry: IO[bytes] | None = None

    def open(self, name: str) -> IO[bytes]:
        """Begin an entry; close it before the next one."""
        self._entry = self._zip.open(_entry(name), "w")
        return self._entry

    def writestr(self, name: str, data: str | bytes) -> None:
        """Add an entry."""
        self._zip.writestr(_entry(name), data)

    def namelist(self) -> list[str]:
        """The names of the entries so far."""
        return self._zip.namelist()

    def keep(self, path: Path) -> None:
        """Write the directory, and put the file where it belongs."""
        self._zip.close()
        shutil.move(self._path, path)

    def discard(self) -> None:
        """Remove what was written."""
        if self._entry is not None:
            self._entry.close()
        self._zip.close()
        self._path.unlink(missing_ok=True)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry._compresslevel = _LEVEL  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public way before Python 3.13
    entry.create_system = _UNIX
    entry.external_attr = _READABLE
    return entry
