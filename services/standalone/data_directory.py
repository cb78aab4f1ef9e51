"""The data directory of a standalone: held by one at a time, removed at the end if it is a temporary one."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple


class DirectoryInUseError(Exception):
    """Another standalone holds the directory; the message names it."""


class DataDirectory(NamedTuple):
    """Where a standalone keeps what it keeps."""

    path: Path

    @property
    def logs(self) -> Path:
        """One file per child."""
        return self.path / "logs"

    @property
    def database(self) -> Path:
        """The embedded database's own."""
        return self.path / "database"


@contextmanager
def held(wanted: Path | None) -> Iterator[DataDirectory]:
    """Hold the directory, or a temporary one, for as long as this lasts. Raises DirectoryInUseError.

    The lock is the open file's, so it goes with the process however that ends.
    """
    with ExitStack() as stack:
        path = wanted or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True))
        )
        directory = DataDirectory(path.resolve())
        directory.logs.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((directory.path / "lock").open("a+"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip()
            raise DirectoryInUseError(
                f"{directory.path} is in use by another standalone (process {holder}): stop it, or choose another."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield directory
