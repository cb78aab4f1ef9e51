"""Fifty reports with failures, watched by Prometheus and Alertmanager: what they see of it, and when it is over."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.operation.dashboards import expressions
from tests.operation.programs import RULES, Alertmanager, Prometheus, alertmanager, needs, prometheus, quickened
from tests.requests import agents_request, reviews_request
from tests.stacks import Json, Stack, start, until

pytestmark = [pytest.mark.anyio, needs("prometheus", "prometheus-alertmanager")]

REPORTS = 50
LATE = 12
ROOMS = ("gateway", "orchestrator", "evaluator", "renderer")
PATIENCE_SECONDS = 120


def quicken(rules: str) -> str:
    """The alerts' own words with every time made shorter: an hour becomes half a minute, and so on."""
    seconds = {"5m": "10s", "10m": "20s", "15m": "20s", "30m": "20s", "1h": "30s", "2h": "40s", "6h": "50s"}
    seconds |= {"1d": "60s", "3d": "70s"}
    inside = re.sub(r"\[(\d+[mhd])\]", lambda found: f"[{seconds[found[1]]}]", rules)
    return re.sub(r"for: \d+m", "for: 1s", inside)


def pages(stack: Stack) -> list[tuple[str, str]]:
    """Where each room's pages are: the gateway's is known, the others' ports are told to them as they are started."""
    found = [("gateway", stack.gateway.removeprefix("http://"))]
    for room in ROOMS[1:]:
        for pid in stack.pids(room):
            told = dict(item.partition("=")[::2] for item in Path(f"/proc/{pid}/environ").read_text().split("\0"))
            found.append((room, f"127.0.0.1:{told['HTTP_PORT']}"))
    return found


class Watched:
    """A stack under watch."""

    def __init__(self, stack: Stack, eyes: Prometheus, pager: Alertmanager) -> None:
        self.stack = stack
        self.eyes = eyes
        self.pager = pager


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """A stack of its own, Prometheus and Alertmanager around it."""
    rules = [quickened(path, tmp_path, quicken) for path in RULES]
    stack = await start(tmp_path / "stack", LLM_BACKOFF_SECONDS="0.1", REPORT_CLOCK_SECONDS="0.5")
    try:
        async with (
            alertmanager(tmp_path) as pager,
            prometheus(tmp_path, pages(stack), rules, pager.address) as eyes,
        ):
            yield Watched(stack, eyes, pager)
    finally:
        assert await stack.stop() == 0


def requests() -> list[Json]:
    """Reports of both kinds that have time enough."""
    return [
        reviews_request(("de", "en", "fr"), each=2) if number % 2 else agents_request(3, runs=1)
        for number in range(REPORTS - LATE)
    ]


async def test_every_panel_has_data_and_the_expected_alerts_fire_and_resolve(watched: Watched) -> None:
    stack = watched.stack

    async def scraped() -> bool | None:
        return len(await watched.eyes.ask("up == 1")) == len(ROOMS) or None

    await until(scraped, "every room to be scraped", PATIENCE_SECONDS)

    # What the judge does badly is tried again, and what nobody can read is put aside.
    await stack.behave(latency_seconds=0.2, rate_429=0.05, rate_500=0.1, rate_invalid=0.1)
    await stack.publish("report.requests", (b"no request at all", None))
    ids = [await stack.post(request) for request in requests()]

    # Too slow for some.
    await stack.behave(latency_seconds=4)
    ids += [await stack.post(agents_request(2, runs=1, options={"deadline_seconds": 1})) for _ in range(LATE)]
    await until_firing(watched, {"AssayDeadLetters", "AssayReportsLate"})

    await stack.behave()
    finals = [await stack.final(report_id, PATIENCE_SECONDS) for report_id in ids]
    assert {final["status"] for final in finals} >= {"completed", "failed"}

    # An account without money.
    await stack.behave(fail={"0": "quota", "1": "quota", "2": "quota"})
    refused = await stack.final(await stack.post(agents_request(3, runs=1)))
    assert {part["reason"] for part in refused["parts"]} >= {"quota_exhausted"}
    await until_firing(watched, {"AssayBreakerOpen", "AssayJudgeAccount"})
    assert not await without_data(watched.eyes)

    # All is well again, and said so.
    await stack.behave()

    async def closed() -> bool | None:
        await stack.final(await stack.post(agents_request(1, runs=1)), PATIENCE_SECONDS)
        return not await watched.eyes.ask("assay_llm_breaker_open > 0") or None

    await until(closed, "the breaker to close", PATIENCE_SECONDS)

    async def resolved() -> bool | None:
        return not await watched.pager.active() or None

    await until(resolved, "every alert to be resolved", 2 * PATIENCE_SECONDS)


async def until_firing(watched: Watched, expected: set[str]) -> None:
    """Wait until Alertmanager knows of all of these."""
    seen: set[str] = set()

    async def fire() -> bool | None:
        seen.update(await watched.pager.active())
        return expected <= seen or None

    await until(fire, f"{sorted(expected)} to fire", PATIENCE_SECONDS)


async def without_data(eyes: Prometheus) -> list[str]:
    """The panels of all dashboards that show nothing."""
    return [
        expression.panel
        for expression in expressions()
        if not await eyes.ask(expression.text.replace("$__rate_interval", "5m"))
    ]
