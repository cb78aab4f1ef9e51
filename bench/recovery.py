"""How long after a kill -9 a report is complete: `python -m bench.recovery`.

Two evaluators, 15 parts of 2 s, 4 calls at once each; one evaluator is killed while its calls run, and started again by
its supervisor. The time-outs are those of production: a session of 15 s, a lease of 20 s.
"""

import asyncio
import os
import signal
import tempfile
import time
from pathlib import Path

from bench.measuring import ask_and_follow
from tests.requests import agents_request
from tests.stacks import start, until

PARTS = 15
CALL_SECONDS = 2.0
AT_ONCE = 4
ROUNDS = 4
PRODUCTION = {"KAFKA_SESSION_TIMEOUT_MS": "15000", "KAFKA_HEARTBEAT_INTERVAL_MS": "3000", "LLM_LEASE_SECONDS": "20"}


async def main() -> None:
    """One report after the other, each with a kill."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--evaluators", "2", "--latency", str(CALL_SECONDS))
        stack = await start(Path(folder), *options, LLM_MAX_CONCURRENCY=str(AT_ONCE), **PRODUCTION)
        try:
            await ask_and_follow(stack, agents_request(PARTS))
            for _ in range(ROUNDS):
                before = (await stack.calls())["total"]
                report_id = await stack.post(agents_request(PARTS))

                async def half_way(before: int = before) -> bool | None:
                    return (await stack.calls())["total"] - before > AT_ONCE or None

                async def two() -> bool | None:
                    return len(stack.pids("evaluator")) == len(set(stack.pids("evaluator"))) == 2 or None

                await until(half_way, "calls of both evaluators", 30)
                os.kill(stack.pids("evaluator")[0], signal.SIGKILL)
                killed = time.monotonic()
                status = await stack.final(report_id, 120)
                paid = (await stack.calls())["total"] - before - PARTS - 1
                print(
                    f"{status['status']} {time.monotonic() - killed:.1f} s after the kill; {paid} calls paid again",
                    flush=True,
                )
                await until(two, "the killed evaluator's successor", 60)
                await asyncio.sleep(float(PRODUCTION["KAFKA_SESSION_TIMEOUT_MS"]) / 1000)  # the group has settled
        finally:
            await stack.stop()


if __name__ == "__main__":
    asyncio.run(main())
