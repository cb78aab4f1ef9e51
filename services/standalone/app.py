"""Composes a standalone: the rooms, and an embedded part for whatever is not configured."""

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from services.standalone import embedded, programs
from services.standalone.data_directory import DataDirectory, held
from services.standalone.ports import free_ports, is_free
from services.standalone.programs import LOOPBACK, Embedded, Program
from services.standalone.supervisor import Supervisor
from shared.settings import GatewaySettings, Settings, inherited_environment

KEY_NAME = "assay-run"
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared with, not bound to

Result = TypeVar("Result")


class PortTakenError(Exception):
    """Somebody listens where the gateway should; the message says so."""


class Wanted(NamedTuple):
    """What is asked of a standalone. None means as configured; port 0 takes a free one.

    A `private` one serves this process alone: its gateway is on loopback, on a free port.
    """

    data_dir: Path | None = None
    port: int | None = None
    evaluators: int = 1
    latency_seconds: float | None = None
    refuse: str | None = None
    private: bool = False


class Addresses(NamedTuple):
    """Where a running standalone is reached; `judge` is the stand-in, None if there is a real one.

    `api_key` is this run's own, where the configured gateway wants one whose text is not ours to know.
    """

    gateway: str
    kafka: str
    mongo: str
    judge: str | None
    api_key: str = ""

    @property
    def announcement(self) -> str:
        """The line that says it is ready."""
        told = {"gateway": self.gateway, "kafka": self.kafka, "mongo": self.mongo, "judge": self.judge}
        return json.dumps({"ready": True, **told})


def what_is_real(settings: Settings) -> str:
    """One line that says what of a standalone is real and what is a stand-in."""
    return programs.in_words(programs.embedded(settings, free_ports()))


async def while_standing(wanted: Wanted, settings: Settings, body: Callable[[Addresses], Awaitable[Result]]) -> Result:
    """Run the body while a standalone stands; end it afterwards.

    Raises PortTakenError, NotInstalledError, DirectoryInUseError, ProgramFailedError, or what the body raises.
    """
    with held(wanted.data_dir) as directory:
        ports = free_ports()
        parts = programs.embedded(settings, ports)
        addresses = _addresses(wanted, settings, parts, ports)
        children = _children(wanted, parts, addresses, ports, directory)
        supervisor = Supervisor(children, directory.logs, inherited_environment(), time.monotonic)
        return await supervisor.while_running(lambda: body(addresses))


def until_signal(work: Coroutine[None, None, Result]) -> Result | None:
    """Run to the end, or until SIGTERM, SIGHUP or Ctrl-C: then end in order and return None. Asked twice: at once."""

    async def main() -> Result:
        task = asyncio.current_task()
        asked: list[int] = []

        def end(number: int) -> None:
            if asked:
                os._exit(128 + number)  # the children end with us
            asked.append(number)
            if task:
                task.cancel()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, end, number)
        return await work

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        return None


def serve(wanted: Wanted, settings: Settings) -> None:
    """Stand until told to end; say on stdout when ready."""

    async def announce(addresses: Addresses) -> None:
        sys.stdout.write(f"{addresses.announcement}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    until_signal(while_standing(wanted, settings, announce))


def _addresses(wanted: Wanted, settings: Settings, parts: Embedded, ports: Iterator[int]) -> Addresses:
    has_keys = bool(settings.gateway.api_keys.get_secret_value())
    host = LOOPBACK if wanted.private or settings.gateway.host in EVERYWHERE else settings.gateway.host
    return Addresses(
        gateway=f"http://{host}:{_gateway_port(wanted, settings.gateway, ports)}",
        kafka=settings.kafka.bootstrap_servers if parts.kafka is None else f"{LOOPBACK}:{parts.kafka}",
        mongo=_shown(settings.mongo.url.get_secret_value()) if parts.mongo is None else parts.mongo_url,
        judge=None if parts.judge is None else parts.judge_url,
        api_key=secrets.token_urlsafe() if wanted.private and has_keys else "",
    )


def _gateway_port(wanted: Wanted, settings: GatewaySettings, ports: Iterator[int]) -> int:
    port = 0 if wanted.private else settings.port if wanted.port is None else wanted.port
    if port == 0:
        return next(ports)
    if not is_free(settings.host, port):
        raise PortTakenError(
            f"Port {port} of {settings.host} is taken: choose another with --port; 0 takes a free one."
        )
    return port


def _children(
    wanted: Wanted, parts: Embedded, addresses: Addresses, ports: Iterator[int], directory: DataDirectory
) -> list[Program]:
    found: list[Program] = []
    if parts.kafka is not None:
        found.append(embedded.broker(parts.kafka))
    if parts.mongo is not None:
        found.append(embedded.database(parts.mongo, directory.database, is_temporary=wanted.data_dir is None))
    if parts.judge is not None:
        found.append(programs.stand_in(parts.judge, _temper(wanted)))
    needs = tuple(program.name for program in found)
    gateway = {"GATEWAY_PORT": str(urlsplit(addresses.gateway).port)}
    if wanted.private:
        gateway["GATEWAY_HOST"] = LOOPBACK
    if addresses.api_key:
        gateway["GATEWAY_API_KEYS"] = f"{KEY_NAME}:{sha256(addresses.api_key.encode()).hexdigest()}"
    return [
        *found,
        *programs.rooms(wanted.evaluators, ports, parts.environment, needs),
        programs.room("gateway", addresses.gateway, {**parts.environment, **gateway}, needs),
    ]


def _temper(wanted: Wanted) -> dict[str, str]:
    """How the stand-in is to behave, where it was said."""
    latency = {} if wanted.latency_seconds is None else {"STANDIN_LATENCY_SECONDS": str(wanted.latency_seconds)}
    return latency if wanted.refuse is None else {**latency, "STANDIN_REFUSE": wanted.refuse}


def _shown(url: str) -> str:
    """A configured address without its password."""
    password = urlsplit(url).password
    return url if password is None else url.replace(f":{password}@", ":***@", 1)
