"""How long a report of 14 agents and a concurrent overview takes when every call takes 2 s, by calls at once.

`python -m bench.parallel` starts a standalone per setting and prints, for each report, the seconds from `accepted_at`
to the last outcome and to the stored workbook, beside the least that so many calls at once can take. The first report
of a standalone is a cold one.
"""

import asyncio
import math
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tests.requests import Json, agents_request
from tests.stacks import start

AGENTS = 14
RUNS = 20
REPORTS = 4


class Setting(NamedTuple):
    """Seconds per call, and calls at once."""

    latency: float
    at_once: int

    @property
    def least(self) -> float:
        """Seconds that all calls take at this width with nothing in between."""
        return math.ceil((AGENTS + 1) / self.at_once) * self.latency


SETTINGS = (Setting(2.0, 10), Setting(2.0, 15), Setting(0.1, 15), Setting(0.1, 1))


async def measure(setting: Setting) -> None:
    """Run the reports of one setting, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        stack = await start(Path(folder), "--latency", str(setting.latency), LLM_MAX_CONCURRENCY=str(setting.at_once))
        try:
            for number in range(REPORTS):
                request = agents_request(AGENTS, RUNS, options={"overview": "concurrent"})
                report_id = await stack.post(request)
                async with stack.http.stream("GET", f"/reports/{report_id}/events") as events:
                    async for _ in events.aiter_lines():
                        pass  # the stream ends with the report; asking again and again would cost it time
                print(_line(setting, number, await stack.status(report_id)), flush=True)
        finally:
            await stack.stop()


def _line(setting: Setting, number: int, status: Json) -> str:
    accepted, evaluated, completed = (
        datetime.fromisoformat(status[name]) for name in ("accepted_at", "evaluated_at", "completed_at")
    )
    outcome, workbook = (evaluated - accepted).total_seconds(), (completed - accepted).total_seconds()
    return (
        f"{setting.latency:5.1f} s a call  {setting.at_once:3d} at once  report {number + 1}  "
        f"least {setting.least:5.2f}  last outcome {outcome:6.3f}  workbook {workbook:6.3f}  {status['status']}"
    )


async def main() -> None:
    """All settings, or those whose number of calls at once is named on the command line."""
    wanted = {int(word) for word in sys.argv[1:]}
    for setting in SETTINGS:
        if not wanted or setting.at_once in wanted:
            await measure(setting)


if __name__ == "__main__":
    asyncio.run(main())
