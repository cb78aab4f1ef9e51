"""Whether a large report costs more per part than a small one, and what memory a long backlog takes.

`python -m bench.scale`: one report of 5,000 parts at 0 ms a call, its speed by fifths and the peak of every process;
then 50,000 tasks waiting behind slow calls, and how soon their cancellation is through.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from bench.measuring import follow, times, usage
from tests.requests import agents_request
from tests.stacks import FINAL, Stack, start, until

PARTS = 5_000
FIFTHS = 5
BACKLOG_REPORTS = 10
SLOW_SECONDS = 5.0
LONG = {"deadline_seconds": 3600}


async def main() -> None:
    """Each measurement on a standalone of its own."""
    for measure in (one_large_report, a_long_backlog):
        with tempfile.TemporaryDirectory() as folder:
            stack = await start(Path(folder))
            try:
                await measure(stack)
                print(f"peak memory, MB: {_peaks(stack)}", flush=True)
            finally:
                await stack.stop()


async def one_large_report(stack: Stack) -> None:
    """The speed of each fifth of the outcomes."""
    report_id = await stack.post(agents_request(PARTS, 1, options=LONG))
    marks: list[float] = []
    for fifth in range(FIFTHS + 1):
        least = max(1, fifth * PARTS // FIFTHS)

        async def so_many(least: int = least) -> float | None:
            return time.monotonic() if (await stack.status(report_id))["counts"]["completed"] >= least else None

        marks.append(await until(so_many, f"{least} outcomes", 1800))
        if fifth:
            rate = PARTS / FIFTHS / (marks[-1] - marks[-2])
            print(f"outcomes to {least:5d}: {rate:6.1f} a second   {_peaks(stack)}", flush=True)
    end = times(await follow(stack, report_id))
    print(f"{PARTS} parts: {end.status}, last outcome {end.outcome:.1f} s, workbook {end.workbook:.1f} s")


async def a_long_backlog(stack: Stack) -> None:
    """Ten reports of 5,000 parts wait; then all are cancelled."""
    await stack.behave(latency_seconds=SLOW_SECONDS)
    ids = [await stack.post(agents_request(PARTS, 1, options=LONG)) for _ in range(BACKLOG_REPORTS)]
    for report_id in ids:

        async def planned(report_id: str = report_id) -> bool | None:
            return (await stack.status(report_id))["status"] == "evaluating" or None

        await until(planned, f"{report_id} to be planned", 600)
    await asyncio.sleep(4 * SLOW_SECONDS)  # some rounds of calls with all the rest waiting
    print(f"{BACKLOG_REPORTS * PARTS} tasks waiting, MB: {_peaks(stack)}", flush=True)
    began = time.monotonic()
    await stack.behave(latency_seconds=0)
    for report_id in ids:
        await stack.http.post(f"/reports/{report_id}/cancel")
    for report_id in ids:

        async def ended(report_id: str = report_id) -> bool | None:
            return (await stack.status(report_id))["status"] in FINAL or None

        await until(ended, f"{report_id} to end", 1800)
    calls = (await stack.calls())["total"]
    print(f"all cancelled, with their workbooks, after {time.monotonic() - began:.1f} s; {calls} calls paid for in all")


def _peaks(stack: Stack) -> str:
    return ", ".join(f"{kind} {found.peak_mb:.0f}" for kind, found in sorted(usage(stack.process.pid).items()))


if __name__ == "__main__":
    asyncio.run(main())
