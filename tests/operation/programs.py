"""Prometheus and its kin on this machine: found by path, started on free ports, ended with the test."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from services.standalone.ports import free_ports
from shared import lifeline
from tests.stacks import until

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
Json = dict[str, Any]


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip, and say why, where one of them is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)} (see .ci/programs)")


def said(*words: str) -> subprocess.CompletedProcess[str]:
    """What a program says of something."""
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)


class Prometheus:
    """A running Prometheus and what a test asks it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx2.AsyncClient(base_url=address, timeout=30, trust_env=False)

    async def ask(self, expression: str) -> list[Json]:
        """The series of an instant query, those without a number left out."""
        answer = await self._http.get("/api/v1/query", params={"query": expression})
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        found: list[Json] = answer.json()["data"]["result"]
        return [series for series in found if series["value"][1] != "NaN"]

    async def firing(self) -> set[str]:
        """The alerts that fire."""
        found = (await self._http.get("/api/v1/alerts")).json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}


class Alertmanager:
    """A running Alertmanager and what a test asks it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx2.AsyncClient(base_url=address, timeout=30, trust_env=False)

    async def active(self) -> set[str]:
        """The alerts that it has been told of and that have not been resolved."""
        found = (await self._http.get("/api/v2/alerts", params={"active": "true"})).json()
        return {alert["labels"]["alertname"] for alert in found}


def quickened(rules: Path, folder: Path, quicken: Callable[[str], str]) -> Path:
    """A copy of the rules in which every time is shorter, as a test cannot wait for an hour."""
    copy = folder / rules.name
    copy.write_text(quicken(rules.read_text("utf-8")))
    return copy


@asynccontextmanager
async def prometheus(
    folder: Path, targets: list[tuple[str, str]], rules: list[Path], alertmanager: str | None = None
) -> AsyncIterator[Prometheus]:
    """Scrapes each room, given with its address, every second, and looks at the rules as often."""
    file = folder / "prometheus.yml"
    config: Json = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [
            {
                "job_name": "assay",
                "static_configs": [{"targets": [address], "labels": {"room": room}} for room, address in targets],
            }
        ],
    }
    if alertmanager is not None:
        host = alertmanager.removeprefix("http://")
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [host]}]}]}
    file.write_text(yaml.safe_dump(config))
    port = next(_ports())
    words = (
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    async with _running(folder, "prometheus", *words, ready=f"http://127.0.0.1:{port}/-/ready"):
        yield Prometheus(f"http://127.0.0.1:{port}")


@asynccontextmanager
async def alertmanager(folder: Path) -> AsyncIterator[Alertmanager]:
    """With the configuration that is delivered, but without waiting before it groups."""
    port = next(_ports())
    words = (
        f"--config.file={ROOT / 'deploy' / 'alertmanager' / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    async with _running(folder, "prometheus-alertmanager", *words, ready=f"http://127.0.0.1:{port}/-/ready"):
        yield Alertmanager(f"http://127.0.0.1:{port}")


def _ports() -> Iterator[int]:
    return free_ports()


@asynccontextmanager
async def _running(folder: Path, program: str, *words: str, ready: str) -> AsyncIterator[None]:
    with (folder / f"{program}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*lifeline.command(program, *words), stdout=log, stderr=log)
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:

            async def is_ready() -> bool | None:
                assert process.returncode is None, (folder / f"{program}.log").read_text()[-2_000:]
                try:
                    return (await client.get(ready)).status_code == 200 or None
                except httpx2.HTTPError:
                    return None

            await until(is_ready, f"{program} to be ready", 60)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
