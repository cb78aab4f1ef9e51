"""Shows on stderr how a report gets on: a live bar on a terminal, else a line per change; and a summary at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from shared.messages import ReportStatus, Saved
from shared.vocabulary import Status

COMPLETED, FAILED, WRONG_USAGE, WITH_ERRORS, INTERRUPTED = 0, 1, 2, 3, 130
"""What commands exit with."""

_STEP = 5.0  # of progress, in percent


class Shown(Protocol):
    """Where states are shown."""

    def show(self, status: ReportStatus) -> None:
        """Show the latest state."""


def stderr() -> Console:
    """The console that is not read by machines."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def shown(console: Console) -> Iterator[Shown]:
    """A place to show states, for as long as this lasts."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress)


def exit_code(status: Status) -> int:
    """What a command exits with for a report that ended so."""
    if status is Status.COMPLETED:
        return COMPLETED
    return WITH_ERRORS if status is Status.COMPLETED_WITH_ERRORS else FAILED


def summary(status: ReportStatus, workbook: str, *, stand_in: bool = False) -> list[str]:
    """A few lines for the reader: status, counts, score, cost, and where the workbook is, if there is one."""
    counts = status.counts
    verdicts = f" ({counts.passed} passed, {counts.not_passed} not)" if counts.passed is not None else ""
    failed = f", {counts.errored} failed" if counts.errored else ""
    cancelled = f", {counts.cancelled} cancelled" if counts.cancelled else ""
    lines = [
        f"{status.report_id}: {status.status.replace('_', ' ')}{_in(status.seconds)}",
        *([f"Reason: {status.reason}"] if status.reason else []),
        f"Parts: {counts.completed} of {counts.total} judged{verdicts}{failed}{cancelled}",
        *([f"Overview: {status.overview.status}{_because(status)}"] if status.overview else []),
        *([f"Score: {status.score:.2f} of 10"] if status.score is not None else []),
        f"Cost: {_cost(status, stand_in=stand_in)}",
        *([f"Saved: {_saved(status.saved)}"] if status.saved else []),
        f"Workbook: {workbook}" if status.workbook else "No workbook",
    ]
    return lines if counts.total else [line for line in lines if not line.startswith(("Parts", "Cost"))]


class _Lines:
    """A line for every step worth one: where nothing moves, a line per part would bury the rest."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_at = 0.0

    def show(self, status: ReportStatus) -> None:
        if status.progress >= self._next_at or status.status.is_final:
            self._console.print(f"{status.progress:3.0f} %  {status.current_step}", markup=False)
            self._next_at = status.progress + _STEP


class _Bar:
    """A bar that moves."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("Asked for", total=100)

    def show(self, status: ReportStatus) -> None:
        self._progress.update(self._task, completed=status.progress, description=status.current_step)


def _in(seconds: float | None) -> str:
    return f" in {seconds:.1f} s" if seconds is not None else ""


def _because(status: ReportStatus) -> str:
    return f" ({status.overview.reason})" if status.overview and status.overview.reason else ""


def _saved(saved: Saved) -> str:
    usage = saved.usage
    dollars = f"{usage.cost_usd:.4f} USD" if usage.cost_usd is not None else "unpriced"
    return (
        f"{dollars} ({usage.input_tokens:,} tokens in, {usage.output_tokens:,} out); parts judged before: {saved.parts}"
    )


def _cost(status: ReportStatus, *, stand_in: bool) -> str:
    usage = status.usage
    tokens = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
    if stand_in:
        return f"nothing, as no model was asked ({tokens})"
    if usage.cost_usd is None:
        return f"unpriced ({tokens})"
    return f"{usage.cost_usd:.4f} USD ({tokens})"
