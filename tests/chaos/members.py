"""One process of the world: started, killed, told to leave, stopped and continued."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared import lifeline

LEAVES_WITHIN_SECONDS = 90.0  # the longest drain here is a part's 30 s, and a broker may be away meanwhile


class Member:
    """A process with a name of its own: a later one on the same seat has another."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.process = process

    @classmethod
    async def born_as(
        cls, name: str, command: Sequence[str], environment: Mapping[str, str], tree: Path, log: Path
    ) -> "Member":
        """Start it."""
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *lifeline.command(*command),
                cwd=tree,
                env={**environment, "PYTHONPATH": str(tree)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=asyncio.subprocess.STDOUT,
            )
        return cls(name, process)

    @property
    def runs(self) -> bool:
        """It has not ended."""
        return self.process.returncode is None

    async def kill(self) -> None:
        """kill -9."""
        if self.runs:
            self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)

    async def leave(self, *, listens: bool) -> str | None:
        """SIGTERM; what is wrong with how it left, if anything. One that does not listen yet is ended by Python."""
        if self.runs:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.wait_for(self.process.wait(), LEAVES_WITHIN_SECONDS)
        except TimeoutError:
            await self.kill()
            return f"{self.name} did not leave within {LEAVES_WITHIN_SECONDS:.0f} s of SIGTERM"
        return (
            None
            if code == 0 or (not listens and code == -signal.SIGTERM)
            else f"{self.name} left with exit code {code}"
        )
