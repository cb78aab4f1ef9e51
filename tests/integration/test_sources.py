"""Evidence read from the source database, as `assay load` puts it there."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.requests import agents_request, reviews_request
from tests.stacks import Stack

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]


async def load(stack: Stack, folder: Path, **files: Sequence[Mapping[str, object]]) -> None:
    """`assay load` with these rows."""
    words = ["--environment-id", "42", "--app-id", "7"]
    for name, rows in files.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        words += [f"--{name}", str(path)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.console", "load", *words, env={"MONGO_URL": stack.mongo, "PATH": ""}
    )
    assert await process.wait() == 0


async def test_agents_and_their_last_runs_are_read_within_the_period(stack: Stack, tmp_path: Path) -> None:
    agents = [{"agent_id": number, "name": f"Agent {number}"} for number in (1, 2)]
    runs = [
        {
            "agent_id": agent,
            "run_id": f"{agent}-{day}",
            "output": f"day {day}",
            "started_at": f"2026-03-{day:02d}T00:00:00Z",
        }
        for agent in (1, 2)
        for day in range(1, 11)
    ]
    await load(stack, tmp_path, agents=agents, runs=runs)
    period = {"from": "2026-03-03T00:00:00Z", "to": "2026-03-09T00:00:00Z"}

    request = {"kind": "agents", "environment_id": "42", "runs_per_agent": 4, "period": period}
    status = await stack.final(await stack.post({**request, "agent_ids": ["2", "3"]}))

    found = {part["key"]: part for part in status["parts"] if part["role"] == "agent"}
    assert found.keys() == {"2", "3"}
    assert found["2"]["status"] == "completed"
    assert found["3"]["reason"] == "no_data"


async def test_stored_and_inline_evidence_give_the_same_counts(stack: Stack, tmp_path: Path) -> None:
    inline = reviews_request(["de", "en"], each=5)
    await load(stack, tmp_path, reviews=inline["data"]["reviews"])

    one = await stack.final(await stack.post(inline))
    other = await stack.final(await stack.post({"kind": "reviews", "app_id": "7"}))

    assert one["status"] == other["status"] == "completed"
    assert one["counts"] == other["counts"]


async def test_loading_the_same_rows_again_changes_nothing(stack: Stack, tmp_path: Path) -> None:
    rows = agents_request(1, 2)["data"]["agents"][0]
    runs = [{**run, "agent_id": "again"} for run in rows["runs"]]
    for _ in range(2):
        await load(stack, tmp_path, agents=[{"agent_id": "again", "name": "Again"}], runs=runs)

    request = {"kind": "agents", "environment_id": "42", "agent_ids": ["again"]}
    status = await stack.final(await stack.post(request))

    assert status["counts"]["completed"] == 1
