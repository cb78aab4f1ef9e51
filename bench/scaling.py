"""What a part costs each room in processor time, and what a load of parts an hour therefore needs.

`python -m bench.scaling`: the processor seconds of reports of 15 and of 400 parts, by process, on embedded parts with a
judge that answers at once; then the arithmetic of docs/scaling.md for three loads; then how much sooner more evaluators
are done.
"""

import asyncio
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.measuring import Usage, ask_and_follow, times, usage
from tests.requests import agents_request
from tests.stacks import Stack, start

RUNS = 3
SIZES = {15: 20, 400: 3}  # parts in a report, and how many reports are looked at
ROOMS = ("orchestrator", "evaluator", "renderer", "render process", "gateway", "broker", "database")
LOADS = (1_000, 100_000, 1_000_000)
CALL_SECONDS = 10.0
SLOTS = 10
BUSY = 0.6  # of a core, so that a burst does not queue
EVALUATORS = (1, 2, 4)
WIDE_PARTS, WIDE_SECONDS, WIDE_SLOTS = 120, 1.0, 5


async def main() -> None:
    """Measure, then reckon."""
    with tempfile.TemporaryDirectory() as folder:
        stack = await start(Path(folder))
        try:
            await ask_and_follow(stack, agents_request(15, RUNS))  # the first report of a standalone is a cold one
            costs = {parts: await _cost(stack, parts, reports) for parts, reports in SIZES.items()}
        finally:
            await stack.stop()
    print(f"{'milliseconds of processor per part':36}" + "".join(f"{parts:>12} parts" for parts in SIZES))
    for room in ROOMS:
        print(f"{room:36}" + "".join(f"{1000 * cost[room]:18.1f}" for cost in costs.values()))
    small = costs[min(SIZES)]
    print(
        f"\nparts an hour, {CALL_SECONDS:.0f} s a call, {SLOTS} at once per evaluator, reports of {min(SIZES)} parts:"
    )
    for load in LOADS:
        print(f"{load:10,}  {_needed(load / 3600, small)}")
    print(f"\n{WIDE_PARTS} parts of {WIDE_SECONDS:.0f} s, {WIDE_SLOTS} at once per evaluator:")
    for evaluators in EVALUATORS:
        ideal = WIDE_PARTS * WIDE_SECONDS / (evaluators * WIDE_SLOTS)
        took = await _wide(evaluators)
        print(f"{evaluators} evaluators: last outcome after {took:5.1f} s; the calls alone take {ideal:.0f} s")


async def _wide(evaluators: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        options = ("--evaluators", str(evaluators), "--latency", str(WIDE_SECONDS))
        stack = await start(Path(folder), *options, LLM_MAX_CONCURRENCY=str(WIDE_SLOTS))
        try:
            await ask_and_follow(stack, agents_request(WIDE_SLOTS, RUNS))
            return times(await ask_and_follow(stack, agents_request(WIDE_PARTS, RUNS))).outcome
        finally:
            await stack.stop()


async def _cost(stack: Stack, parts: int, reports: int) -> Mapping[str, float]:
    before = usage(stack.process.pid)
    for _ in range(reports):
        assert (await ask_and_follow(stack, agents_request(parts, RUNS)))["counts"]["completed"] == parts
    after = usage(stack.process.pid)
    nothing = Usage(0, 0)
    return {room: (after[room].seconds - before.get(room, nothing).seconds) / (parts * reports) for room in ROOMS}


def _needed(per_second: float, cost: Mapping[str, float]) -> str:
    in_flight = per_second * CALL_SECONDS
    by_calls, by_cores = in_flight / SLOTS, per_second * cost["evaluator"] / BUSY
    others = {room: max(1, math.ceil(per_second * cost[room] / BUSY)) for room in ("orchestrator", "renderer")}
    renders = max(1, math.ceil(per_second * cost["render process"] / BUSY))
    return (
        f"{in_flight:7.0f} calls in flight; evaluators {math.ceil(max(by_calls, by_cores)):4} "
        f"(their processors alone: {max(1, math.ceil(by_cores))}); orchestrators {others['orchestrator']}, "
        f"renderers {max(others['renderer'], renders)}"
    )


if __name__ == "__main__":
    asyncio.run(main())
