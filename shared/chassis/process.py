"""Runs a room as a process: settings, logs, its pages, start, the signals, and an orderly end."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

import uvicorn
from faststream.kafka import KafkaBroker
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from shared import settings as environment
from shared.chassis import kafka, logs, traces
from shared.chassis.dead_letters import TRANSIENT
from shared.settings import Settings, SettingsError
from shared.version import VERSION

logger = logging.getLogger(__name__)

WRONG_USAGE = 2
PAGES_GRACE_SECONDS = 5  # for open streams, after everything else has ended


class Room(NamedTuple):
    """A room ready to start: its broker, its pages, what it prepares first and what runs beside its subscribers."""

    name: str
    broker: KafkaBroker
    pages: ASGIApp
    host: str
    port: int
    prepare: Callable[[], Awaitable[None]]
    background: Sequence[Callable[[], Awaitable[None]]] = ()


BuildRoom = Callable[[Settings, CollectorRegistry], AbstractAsyncContextManager[Room]]


def run(build: BuildRoom) -> None:
    """Run the room until SIGTERM or Ctrl-C. Exits with 2 and one line per problem where the settings are wrong."""
    try:
        settings = environment.load()
        logs.set_up(settings.log)
        asyncio.run(_main(build, settings))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(WRONG_USAGE) from None


async def _main(build: BuildRoom, settings: Settings) -> None:
    registry = CollectorRegistry()
    async with build(settings, registry) as room:
        traces.set_up(room.name, VERSION, settings.otel.exporter_otlp_endpoint)
        try:
            await serve(room)
        finally:
            await asyncio.to_thread(traces.shut_down)  # it may wait for the collector


async def serve(room: Room) -> None:
    """Serve the room until it is told to stop. The pages come first and go last, so that both are visible."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
    pages = _Pages(
        uvicorn.Config(
            room.pages,
            host=room.host,
            port=room.port,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=PAGES_GRACE_SECONDS,
        )
    )
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(pages.serve())
        working = tasks.create_task(_work(room))
        stopping = tasks.create_task(stop.wait())
        await asyncio.wait({serving, working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        logger.info("%s stops", room.name)
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        stopping.cancel()
        pages.should_exit = True


async def _work(room: Room) -> None:
    await _prepared(room)
    await kafka.connect(room.broker)
    try:
        async with asyncio.TaskGroup() as tasks:
            await kafka.start(room.broker)
            spare_the_collector()
            logger.info("%s works", room.name)
            for job in room.background:
                tasks.create_task(_run_forever(job))
            await asyncio.Event().wait()
    finally:
        await kafka.stop(room.broker)


def spare_the_collector() -> None:
    """Have the garbage collector pass over what is loaded by now: it stays, and looking through it takes time."""
    gc.collect()
    gc.freeze()


async def _prepared(room: Room) -> None:
    """Wait for what the room stands on: whoever starts first waits for the other."""
    while True:
        try:
            return await room.prepare()
        except TRANSIENT as error:
            logger.warning("%s is not prepared yet: %r", room.name, error)
            await asyncio.sleep(1)


async def _run_forever(job: Callable[[], Awaitable[None]]) -> None:
    """A background job is a loop of its own; what it raises is said and it begins anew."""
    while True:
        try:
            await job()
        except Exception:
            logger.exception("a background job failed and begins anew")
        await asyncio.sleep(1)


class _Pages(uvicorn.Server):
    """Uvicorn without its own signal handling: the room's end is ours to order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _stop_on_signals(stop: asyncio.Event) -> None:
    def asked() -> None:
        if stop.is_set():
            os._exit(1)  # asked twice: at once; what was not acknowledged is delivered again
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
