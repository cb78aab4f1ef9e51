"""Whether evaluators find the pace of a judge that says no, and come through one that misbehaves.

`python -m bench.pace shared`: four evaluators, a judge that takes 10 calls at once and refuses more; the sum of their
limits over time, as a picture too where a file is named, and the calls answered per second from the first minute on.
`python -m bench.pace alone`: the same with four evaluators' handlers in this process, the real SDK and the stand-in in
its own process, but no broker and no database: it shows the pace and takes little of the machine.
`python -m bench.pace fixed=2`: the same with so many calls at once per evaluator, whatever the judge says.
`python -m bench.pace misbehaving`: 200 parts, one evaluator, and a judge that answers 20 % 429 (Retry-After 1), 10 %
500, 5 % broken answers, 1 % never; beside it what the calls that hold a slot take at 10 at once.
"""

import asyncio
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import httpx2
from pydantic import SecretStr

from bench.drawing import Band, Line, draw
from bench.measuring import follow, times
from services.evaluator.judge import open_judge
from shared.chassis.sending import utc_now
from shared.pricing import packaged_prices
from shared.settings import OpenAISettings
from tests.builders import NOON, a_task
from tests.requests import Json, agents_request
from tests.single_programs import judge
from tests.stacks import Stack, start, until
from tests.unit.evaluator.virtual import VirtualEvaluator

EVALUATORS, AT_ONCE = 4, 10
CALL_SECONDS = 2.0
PARTS = 1_000  # more than can be judged meanwhile
SETTLED_AFTER_SECONDS, UNTIL_SECONDS = 60.0, 120.0
MOODY_PARTS, TIME_OUT_SECONDS = 200, 10.0
LATER = NOON + timedelta(days=1_000)  # no deadline
COLOURS = ("#7aa6c2", "#c2a67a", "#8fbf8f", "#b58fbf")
_LIMIT = re.compile(r"^assay_llm_concurrency_limit (\S+)$", re.MULTILINE)


class Sample(NamedTuple):
    """A moment: seconds from the first call, the evaluators' limits, the calls being answered, and answered so far."""

    at: float
    limits: Sequence[float]
    in_flight: int
    answered: int


async def shared(fixed: int | None, picture: Path | None) -> None:
    """Four evaluators and one judge."""
    told = {} if fixed is None else {"LLM_MAX_CONCURRENCY": str(fixed), "LLM_ADAPTIVE": "false"}
    with tempfile.TemporaryDirectory() as folder:
        stack = await start(Path(folder), "--evaluators", str(EVALUATORS), "--latency", str(CALL_SECONDS), **told)
        try:
            await stack.behave(latency_seconds=CALL_SECONDS, max_concurrency=AT_ONCE)
            await stack.post(agents_request(PARTS, 1, options={"deadline_seconds": 3600}))
            samples = await watched(stack)
            calls = await stack.calls()
        finally:
            await stack.stop()
    tell("adaptive" if fixed is None else f"{fixed} fixed", samples, calls)
    if picture is not None:
        plot(samples, picture)


def tell(name: str, samples: Sequence[Sample], calls: Json) -> None:
    """What was seen from the first minute on."""
    late = [sample for sample in samples if sample.at >= SETTLED_AFTER_SECONDS]
    rate = (late[-1].answered - late[0].answered) / (late[-1].at - late[0].at)
    sums = [sum(sample.limits) for sample in late]
    within = sum(8 <= limits <= AT_ONCE for limits in sums) / len(sums)
    print(
        f"{name}: {rate:.2f} answers a second after the first minute, {rate * CALL_SECONDS / AT_ONCE:.0%} of what the "
        f"judge can do; sum of limits {min(sums):.0f} to {max(sums):.0f}, median {statistics.median(sums):.0f}, "
        f"{within:.0%} of the time 8 to 10; {calls['total'] - calls['answered'] - calls['in_flight']} calls refused"
    )


async def alone(picture: Path | None) -> None:
    """The same without broker and database: four evaluators' handlers in this process."""
    async with judge() as url, httpx2.AsyncClient(trust_env=False, base_url=url.removesuffix("/v1")) as http:
        await http.put("/behaviour", json={"latency_seconds": CALL_SECONDS, "max_concurrency": AT_ONCE})
        settings = OpenAISettings(_env_file=None, api_key=SecretStr("none"), base_url=url)
        judges = [open_judge(settings, packaged_prices(), utc_now) for _ in range(EVALUATORS)]
        evaluators = [VirtualEvaluator(judge, number) for number, judge in enumerate(judges)]
        working = [
            asyncio.create_task(
                evaluator.judge_all([a_task(f"{number}-{key}", deadline_at=LATER) for key in range(PARTS // 2)])
            )
            for number, evaluator in enumerate(evaluators)
        ]
        began, samples, calls = time.monotonic(), [], {}
        while (at := time.monotonic() - began) < UNTIL_SECONDS:
            calls = (await http.get("/calls")).json()
            limits = [evaluator.gates.limit for evaluator in evaluators]
            samples.append(Sample(at, limits, calls["in_flight"], calls["answered"]))
            await asyncio.sleep(0.25)
        for work in working:
            work.cancel()
        await asyncio.wait(working)
        for one in judges:
            await one.close()
    tell("adaptive, handlers alone", samples, calls)
    if picture is not None:
        plot(samples, picture)


async def watched(stack: Stack) -> Sequence[Sample]:
    """Two minutes from the first call on, looked at four times a second."""
    pages = [f"http://127.0.0.1:{port}/metrics" for port in ports(stack)]

    async def begun() -> bool | None:
        return (await stack.calls())["total"] > 0 or None

    await until(begun, "the first call", 120)
    began, samples = time.monotonic(), []
    while (at := time.monotonic() - began) < UNTIL_SECONDS:
        limits = [await limit(stack, page) for page in pages]
        calls = await stack.calls()
        samples.append(Sample(at, limits, calls["in_flight"], calls["answered"]))
        await asyncio.sleep(0.25)
    return samples


async def limit(stack: Stack, page: str) -> float:
    """What an evaluator's own metrics say."""
    found = _LIMIT.search((await stack.http.get(page)).text)
    assert found, page
    return float(found[1])


def ports(stack: Stack) -> Sequence[str]:
    """Where the evaluators answer."""
    environments = [Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") for pid in stack.pids("evaluator")]
    found = [word.decode().partition("=") for words in environments for word in words if word.startswith(b"HTTP_PORT=")]
    return [port for _, _, port in found]


def plot(samples: Sequence[Sample], picture: Path) -> None:
    """The sum, each evaluator, and what the judge was answering."""
    lines = [
        *(
            Line(f"limit of evaluator {number + 1}", colour, 1, [sample.limits[number] for sample in samples])
            for number, colour in enumerate(COLOURS)
        ),
        Line("calls being answered", "#d9534f", 1, [sample.in_flight for sample in samples]),
        Line("sum of the limits", "#222222", 2, [sum(sample.limits) for sample in samples]),
    ]
    title = f"Four evaluators, a judge that takes {AT_ONCE} calls of {CALL_SECONDS:.0f} s at once"
    draw(picture, title, [sample.at for sample in samples], lines, Band(8, AT_ONCE))


async def misbehaving() -> None:
    """Two hundred parts against a judge that misbehaves."""
    with tempfile.TemporaryDirectory() as folder:
        stack = await start(Path(folder), LLM_ATTEMPT_TIMEOUT_SECONDS=str(TIME_OUT_SECONDS))
        try:
            await stack.behave(
                latency_seconds=CALL_SECONDS, rate_429=0.2, rate_500=0.1, rate_invalid=0.05, rate_timeout=0.01, seed=1
            )
            report_id = await stack.post(agents_request(MOODY_PARTS, 1, options={"overview": "concurrent"}))
            document: Json = await follow(stack, report_id)
            calls = await stack.calls()
        finally:
            await stack.stop()
    silent = calls["total"] - calls["answered"]  # refused, broken, or never answered
    never = round(0.01 * calls["total"])
    ideal = (calls["answered"] * CALL_SECONDS + never * TIME_OUT_SECONDS) / AT_ONCE
    end = times(document)
    counts = document["counts"]
    print(
        f"{MOODY_PARTS} parts: {counts['completed']} completed, {counts['errored']} errored, {calls['total']} calls, "
        f"{silent} of them without an answer; last outcome after {end.outcome:.1f} s, "
        f"{end.outcome / ideal:.2f} times the ideal {ideal:.1f} s"
    )


async def main() -> None:
    """What is named on the command line; everything if nothing is."""
    words = sys.argv[1:] or ["shared", "fixed=2", "fixed=3", "misbehaving"]
    pictures = [Path(word) for word in words if word.endswith(".svg")]
    for word in words:
        if word == "shared":
            await shared(None, next(iter(pictures), None))
        elif word == "alone":
            await alone(next(iter(pictures), None))
        elif word == "misbehaving":
            await misbehaving()
        elif word.startswith("fixed="):
            await shared(int(word.removeprefix("fixed=")), None)


if __name__ == "__main__":
    asyncio.run(main())
