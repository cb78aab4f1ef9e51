"""What a workbook costs: seconds, against the plainest loop over the same rows, and memory.

`python -m bench.workbook`: 100,000 reviews of 12 columns in 50 languages, each way of writing in a process of its own,
in turns; how late an event loop is, alone and beside two renders at once; small reports, from the last outcome on.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from openpyxl import Workbook

from services.renderer import workbook
from shared.evaluations import EvidenceRow, FrozenRow, Part
from shared.state import Plan
from shared.vocabulary import Kind
from tests.builders import NOON, a_judged_language, a_judged_part, a_plan, a_report, a_row, an_overview, streamed

REVIEWS, LANGUAGES, ROUNDS = 100_000, 50, 3
WAYS = ("loop", "assay")
COLUMNS = ("text", "rating", "recommended", "created_at", "version", "country", "device", "helpful", "store")
TICK = 0.01  # seconds
SMALL = ((15, 10), (400, 1))  # agents, and runs of each
WORDS = (
    "the",
    "app",
    "crashes",
    "when",
    "I",
    "open",
    "great",
    "search",
    "love",
    "it",
    "add",
    "a",
    "dark",
    "mode",
    "long",
)


class Measured(NamedTuple):
    """One workbook: processor seconds, seconds, the most memory in MB, the file's size in MB."""

    processor: float
    seconds: float
    peak: float
    size: float


def main() -> None:
    """Compare, or be one of the processes that are compared."""
    parser = argparse.ArgumentParser(prog="python -m bench.workbook", description=__doc__)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--reviews", type=int, default=REVIEWS)
    chosen = parser.parse_args()
    if chosen.way:
        print(*_measure(chosen.way, chosen.reviews))
        return
    rounds = [{way: _in_a_process(way, chosen.reviews) for way in WAYS} for _ in range(ROUNDS)]
    for way in WAYS:
        best = min(measured[way] for measured in rounds)
        print(
            f"{way:6s} {best.processor:6.2f} s of processor, {best.seconds:6.2f} s, peak {best.peak:.0f} MB,"
            f" {best.size:.1f} MB on disk"
        )
    ratio = median(measured["assay"].processor / measured["loop"].processor for measured in rounds)
    print(
        f"{chosen.reviews:,} reviews x {3 + len(COLUMNS)} columns: {ratio:.2f} of the plain loop (median of {ROUNDS})"
    )
    print(f"an event loop is late by {asyncio.run(_lateness(chosen.reviews // 5))}")
    for agents, runs in SMALL:
        print(f"{agents} agents with {runs} runs each: {_after_the_last_outcome(agents, runs):.3f} s of processor")


def _in_a_process(way: str, reviews: int) -> Measured:
    command = [sys.executable, "-m", "bench.workbook", "--way", way, "--reviews", str(reviews)]
    return Measured(*map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()))


def _measure(way: str, reviews: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        began, processor = time.monotonic(), time.process_time()
        if way == "loop":
            _plain_loop(path, reviews)
        else:
            plan, parts = _report(reviews)
            asyncio.run(workbook.write(path, plan, a_report(parts), parts, _streamed(reviews)))
        spent, seconds = time.process_time() - processor, time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Measured(round(spent, 3), round(seconds, 3), round(peak), round(path.stat().st_size / 1e6, 1))


def _plain_loop(path: Path, reviews: int) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Reviews")
    for row in _rows(reviews):
        sheet.append([row.key, row.row.id, "yes" if row.used else "no", *row.row.values.values()])
    book.save(path)


def _report(reviews: int) -> tuple[Plan, list[Part]]:
    parts = [a_judged_language(_language(number)) for number in range(LANGUAGES)]
    return a_plan(kind=Kind.REVIEWS, pieces=LANGUAGES, rows=reviews, columns=COLUMNS), [*parts, an_overview()]


def _rows(reviews: int) -> Iterator[FrozenRow]:
    """Reviews as the store gives them: every one another, and some in every script's direction."""
    created = NOON.isoformat()
    for number in range(reviews):
        words = " ".join(WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(20))
        text = f"{words} {number}" if number % 10 else f"مفيد جدا، أتمنى إضافة الوضع الليلي {number}"
        values = (
            text,
            number % 5 + 1,
            number % 3 == 0,
            created,
            f"4.{number % 9}",
            "DE",
            f"phone {number % 400}",
            number,
        )
        yield FrozenRow(
            key=_language(number % LANGUAGES),
            row=EvidenceRow(id=f"review-{number}", values=dict(zip(COLUMNS, (*values, "app store"), strict=True))),
        )


async def _streamed(reviews: int) -> AsyncIterator[FrozenRow]:
    for row in _rows(reviews):
        yield row


def _language(number: int) -> str:
    return f"x{number:02d}"


async def _lateness(reviews: int) -> str:
    """The 50th and 99th percentile of how late a timer is, alone and while two processes render."""
    alone = await _ticks(asyncio.sleep(3))
    command = [sys.executable, "-m", "bench.workbook", "--way", "assay", "--reviews", str(reviews)]
    renders = [await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL) for _ in range(2)]

    async def ended() -> None:
        for render in renders:
            await render.wait()

    beside = await _ticks(ended())
    return f"{alone} alone, {beside} beside two renders"


async def _ticks(until: Coroutine[None, None, None]) -> str:
    late: list[float] = []
    waiting = asyncio.create_task(until)
    while not waiting.done():
        due = time.monotonic() + TICK
        await asyncio.sleep(TICK)
        late.append(time.monotonic() - due)
    late.sort()
    return f"{late[len(late) // 2] * 1000:.1f}/{late[len(late) * 99 // 100] * 1000:.1f} ms"


def _after_the_last_outcome(agents: int, runs: int) -> float:
    """Processor seconds that a reader waits for the workbook of a report whose evidence has been written ahead."""
    keys = [str(number) for number in range(agents)]
    parts = [*(a_judged_part(key, int(key) % 11) for key in keys), an_overview()]
    rows = [a_row(key, f"run-{key}-{run}", input=" ".join(WORDS), output="done") for key in keys for run in range(runs)]
    plan = a_plan(pieces=agents, rows=len(rows))
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS + 1):  # the first one warms up, as a render process does
            draft = asyncio.run(workbook.begin(plan, a_report(parts), parts, streamed(rows)))
            began = time.process_time()
            workbook.finish(draft, Path(folder) / "book.xlsx", plan, a_report(parts), parts)
            spent.append(time.process_time() - began)
    return median(spent[1:])


if __name__ == "__main__":
    main()
