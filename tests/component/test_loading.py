"""`assay load` puts rows where the orchestrator reads them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.client import loading
from services.client.rows import InputError
from services.standalone import embedded
from services.standalone.ports import free_ports
from shared import lifeline
from shared.settings import MongoSettings
from shared.store import connect
from shared.store.sources import Window

ALWAYS = Window(None, None)
SAMPLES = Path(sys.modules[embedded.__name__].__file__ or "").parent / "samples"


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoSettings]:
    port = next(free_ports())
    program = embedded.database(port, tmp_path_factory.mktemp("database"), is_temporary=True)
    with subprocess.Popen(lifeline.command(*program.command), stderr=subprocess.DEVNULL) as process:
        yield MongoSettings(url=SecretStr(f"mongodb://127.0.0.1:{port}/?directConnection=true"))
        process.kill()


async def test_rows_are_read_back_as_the_orchestrator_reads_them(mongo: MongoSettings) -> None:
    files = [(loading.AGENTS, "agents", "42"), (loading.RUNS, "runs", "42"), (loading.REVIEWS, "reviews", "7")]
    for source, name, owner in files:
        await loading.load(mongo, source, loading.rows_for(source, SAMPLES / f"{name}.jsonl", owner))
    async with connect(mongo) as store:
        agents = [agent.agent_id async for agent in store.sources.agents("42", None)]
        assert len(agents) == 6
        runs = [run async for run in store.sources.last_runs("42", "triage", ALWAYS, None, 3)]
        assert [run.run_id for run in runs] == ["triage-06", "triage-05", "triage-04"]
        assert await store.sources.languages("7", ALWAYS) == ["ar", "de", "en", "es", "fr", "ja"]


async def test_times_are_stored_as_times_and_rows_again_replace(mongo: MongoSettings, tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    for text in ("first", "second"):
        row = {"app_id": 8, "review_id": 1, "language": "en", "text": text, "created_at": "2026-11-01T10:00:00+02:00"}
        path.write_text(json.dumps(row))
        await loading.load(mongo, loading.REVIEWS, loading.rows_for(loading.REVIEWS, path, None))
    async with connect(mongo) as store:
        at = datetime(2026, 11, 1, 8, tzinfo=UTC)
        found = [review async for review in store.sources.reviews("8", "en", Window(at, None))]
        assert [(review.text, review.created_at) for review in found] == [("second", at)]
        assert [review async for review in store.sources.reviews("8", "en", Window(None, at))] == []


def test_a_row_that_belongs_to_nobody_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    path.write_text('{"run_id": "1", "agent_id": "7"}')
    with pytest.raises(InputError, match=r"runs.jsonl:1: environment_id: Field required, .* --environment-id"):
        loading.rows_for(loading.RUNS, path, None)
