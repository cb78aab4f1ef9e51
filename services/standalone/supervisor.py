"""Keeps a standalone's children running: starts them in order, restarts what dies, ends all of them."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import httpx2

from services.standalone.probes import answers
from services.standalone.programs import Program
from services.standalone.restarts import RestartPolicy, Restarts
from shared import lifeline

logger = logging.getLogger(__name__)

READY_WITHIN_SECONDS = 120.0
ENDS_WITHIN_SECONDS = 10.0
_POLL_SECONDS = 0.05
_SHOWN_BYTES = 3_000  # of a failed child's log

Result = TypeVar("Result")


class ProgramFailedError(Exception):
    """A child does not start or does not stay; the message shows the end of its log."""


class Child:
    """One program and the process that runs it now, if any. `ready` is set while it is ready."""

    def __init__(self, program: Program, log: Path, environment: Mapping[str, str], restarts: Restarts) -> None:
        self.program = program
        self.ready = asyncio.Event()
        self.restarts = restarts
        self.replaced = False
        self._log = log
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def live_once(self, client: httpx2.AsyncClient) -> int:
        """Start it, say when it is ready, and return its exit code when it has ended."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *lifeline.command(*self.program.command),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for the supervisor, which then ends them in order
            )
        while self._process.returncode is None:
            if await answers(self.program.ready_at, client):
                self.ready.set()
                break
            await asyncio.sleep(_POLL_SECONDS)
        code = await self._process.wait()
        self.ready.clear()
        return code

    def replace(self) -> None:
        """Kill it, so that it is started anew; its end is not its fault."""
        if self._process is not None and self._process.returncode is None:
            self.replaced = True
            self._process.kill()

    async def end(self) -> None:
        """Ask it to end, and kill it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.program.ends_by)
        try:
            async with asyncio.timeout(ENDS_WITHIN_SECONDS):
                await self._process.wait()
        except TimeoutError:
            logger.warning("%s does not end and is killed", self.program.name)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def failure(self, what: str) -> ProgramFailedError:
        """The error that says what happened and shows the end of the log."""
        shown = self._log.read_bytes()[-_SHOWN_BYTES:].decode(errors="replace") if self._log.exists() else ""
        return ProgramFailedError(f"{self.program.name} {what}. The end of its log ({self._log}):\n{shown.strip()}")


class Supervisor:
    """The children of one standalone."""

    def __init__(
        self,
        programs: Sequence[Program],
        logs: Path,
        inherited: Mapping[str, str],
        clock: Callable[[], float],
        policy: RestartPolicy = RestartPolicy(),  # noqa: B008  # a frozen value
    ) -> None:
        self._clock = clock
        self._children = {
            program.name: Child(
                program, logs / f"{program.name}.log", program.environment_from(inherited), Restarts(policy)
            )
            for program in programs
        }

    async def while_running(self, body: Callable[[], Awaitable[Result]]) -> Result:
        """Start all, run the body once all are ready, then end all.

        Raises ProgramFailedError, or what the body raises.
        """
        try:
            return await self._keeping_all(body)
        except ExceptionGroup as errors:  # of a child that failed, or of the body: raised as if there were no group
            raise errors.exceptions[0] from None
        finally:
            await self._end_all()

    async def _keeping_all(self, body: Callable[[], Awaitable[Result]]) -> Result:
        async with httpx2.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(child, client)) for child in self._children.values()]
            await self._all_ready()
            result = await body()
            for keeper in keepers:
                keeper.cancel()
        return result

    async def _keep(self, child: Child, client: httpx2.AsyncClient) -> None:
        """Start a child again whenever it ends."""
        while True:
            for name in child.program.needs:
                await self._children[name].ready.wait()
            code = await child.live_once(client)
            if child.program.forgets:
                for other in self._children.values():
                    if child.program.name in other.program.needs:
                        other.replace()
            if child.replaced:
                child.replaced = False
                continue
            pause = child.restarts.pause_after_end(self._clock())
            if pause is None:
                raise child.failure(f"ended again and again, last with exit code {code}")
            logger.warning("%s ended with exit code %d and is started again", child.program.name, code)
            await asyncio.sleep(pause)

    async def _all_ready(self) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN_SECONDS):
                for child in self._children.values():
                    await child.ready.wait()
        except TimeoutError:
            late = next(child for child in self._children.values() if not child.ready.is_set())
            raise late.failure(f"is not ready after {READY_WITHIN_SECONDS:.0f} seconds") from None

    async def _end_all(self) -> None:
        """First those that nobody needs, all at once; then the others, the last started first."""
        needed = {name for child in self._children.values() for name in child.program.needs}
        async with asyncio.TaskGroup() as group:
            for child in self._children.values():
                if child.program.name not in needed:
                    group.create_task(child.end())
        for child in reversed(self._children.values()):
            await child.end()
