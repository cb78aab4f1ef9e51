"""What the measurements share: a report asked for and followed to its end, and what processes have used meanwhile."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tests.requests import Json
from tests.stacks import Stack

_TICKS = os.sysconf("SC_CLK_TCK")


class Times(NamedTuple):
    """Seconds from the acceptance of a report to the last outcome and to the stored workbook."""

    outcome: float
    workbook: float
    status: str


async def ask_and_follow(stack: Stack, request: Json) -> Json:
    """Ask for a report and wait on its stream, as asking again and again would cost it time; its final document."""
    report_id = await stack.post(request)
    return await follow(stack, report_id)


async def follow(stack: Stack, report_id: str) -> Json:
    """The document of a report at its end."""
    async with stack.http.stream("GET", f"/reports/{report_id}/events", timeout=1800) as events:
        async for _ in events.aiter_lines():
            pass
    return await stack.status(report_id)


def times(status: Json) -> Times:
    """How long a report took."""
    accepted, evaluated, completed = (
        moment(status, "accepted"),
        moment(status, "evaluated"),
        moment(status, "completed"),
    )
    return Times((evaluated - accepted).total_seconds(), (completed - accepted).total_seconds(), status["status"])


def moment(status: Json, name: str) -> datetime:
    """One of the times in a status document."""
    return datetime.fromisoformat(status[f"{name}_at"])


class Usage(NamedTuple):
    """What a process has used: processor seconds since its start, and the most memory so far in MB."""

    seconds: float
    peak_mb: float


def usage(root: int) -> Mapping[str, Usage]:
    """The processes under this one, by what they are; those of the same kind are added up."""
    found: dict[str, Usage] = {}
    for pid, words in _descendants(root).items():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            peak = next(
                line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")
            )
        except (OSError, StopIteration):
            continue  # it has ended
        before = found.get(kind := _kind(words), Usage(0, 0))
        seconds = (int(stat[11]) + int(stat[12])) / _TICKS
        found[kind] = Usage(before.seconds + seconds, max(before.peak_mb, int(peak.split()[1]) / 1024))
    return found


def used(before: Mapping[str, Usage], after: Mapping[str, Usage]) -> str:
    """The processor seconds between two looks, in words."""
    spent = {kind: now.seconds - before.get(kind, Usage(0, 0)).seconds for kind, now in after.items()}
    return ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in sorted(spent.items()) if seconds >= 0.01)


def _descendants(root: int) -> dict[int, str]:
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            commands[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: commands[pid] for pid in family}


def _kind(words: str) -> str:
    kinds = ("orchestrator", "evaluator", "renderer", "gateway", "standin", "tansu", "secantus", "spawn_main")
    names = {"standin": "judge", "tansu": "broker", "secantus": "database", "spawn_main": "render process"}
    kind = next((kind for kind in kinds if kind in words), "others")
    return names.get(kind, kind)
