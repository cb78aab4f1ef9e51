"""How long a report of 15 parts takes alone, and when one of 5,000 is running: `python -m bench.fairness`.

The small one should complete within twice its time alone plus one call, and the large one should still end.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

from bench.measuring import ask_and_follow, follow, times
from tests.requests import agents_request
from tests.stacks import start, until

CALL_SECONDS = 0.2
AT_ONCE = 10
SMALL, LARGE = 15, 5_000
ROUNDS = 5


async def main() -> None:
    """Five small reports alone, five beside the large one, then the large one's end."""
    small = agents_request(SMALL, 3)
    with tempfile.TemporaryDirectory() as folder:
        stack = await start(Path(folder), "--latency", str(CALL_SECONDS), LLM_MAX_CONCURRENCY=str(AT_ONCE))
        try:
            await ask_and_follow(stack, small)  # the first report of a standalone is a cold one
            alone = [times(await ask_and_follow(stack, small)).workbook for _ in range(ROUNDS)]
            large = await stack.post(agents_request(LARGE, 1, options={"deadline_seconds": 3600}))

            async def begun() -> bool | None:
                return (await stack.status(large))["counts"]["completed"] > AT_ONCE or None

            await until(begun, "the large report to begin", 120)
            beside = [times(await ask_and_follow(stack, small)).workbook for _ in range(ROUNDS)]
            done_meanwhile = (await stack.status(large))["counts"]["completed"]
            end = times(await follow(stack, large))
        finally:
            await stack.stop()
    bound = 2 * statistics.median(alone) + CALL_SECONDS
    print(f"alone                {_spread(alone)}")
    print(f"beside {LARGE} parts    {_spread(beside)}, bound {bound:.2f} s")
    print(f"the large one        {done_meanwhile} parts done by then; {end.status} after {end.workbook:.1f} s")
    print(f"                     (its calls alone take {LARGE * CALL_SECONDS / AT_ONCE:.0f} s)")


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s (median; {min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    asyncio.run(main())
