"""Every import contract can fail: each is broken once in a copy of the tree, and must say so."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BREAKS = {
    "Rooms never import each other": ("services/evaluator/scoring.py", "import services.renderer.report"),
    "Tests stand on rooms, rooms stand on shared, and shared knows no room": (
        "shared/topics.py",
        "import services.evaluator.calls",
    ),
    "The console starts rooms, standalone starts processes, and rooms know neither": (
        "services/client/rows.py",
        "import services.standalone.chance",
    ),
    "Shared: the chassis stands on the edges, the edges on the agreements": ("shared/floorless.py", "import json"),
    "The orchestrator's floors: app, edges, core": (
        "services/orchestrator/planning.py",
        "import services.orchestrator.sources",
    ),
    "The evaluator's floors: app, edges, core": ("services/evaluator/judge.py", "import services.evaluator.handlers"),
    "The renderer's floors: app, edges, core": ("services/renderer/press.py", "import services.renderer.clock"),
    "The gateway's floors: app, pages, routes, what routes share, core": (
        "services/gateway/keys.py",
        "import services.gateway.reading",
    ),
    "Standalone's floors: running, processes, the stand-in's opinions": (
        "services/standalone/words.py",
        "import services.standalone.opinions",
    ),
    "The client's floors: watching, what is asked for, the wire": (
        "services/client/rows.py",
        "import services.client.orders",
    ),
    "The core is pure: values in, values out": ("services/renderer/report.py", "import time"),
    "Each driver has one place": ("services/gateway/reading.py", "import motor"),
    "Only the judge's module knows its SDK, only the workbook's folder openpyxl": (
        "services/evaluator/slots.py",
        "import openai",
    ),
    "Handlers know ports, not drivers": ("services/renderer/handlers.py", "import faststream"),
    "Unit tests cannot reach a driver by themselves": ("tests/unit/shared/test_topics.py", "import motor"),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to break."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("services", "shared", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def broken_contracts(tree: Path) -> set[str]:
    """The contracts that do not hold in a tree."""
    linter = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-c", linter, "--no-cache"],  # the cache goes by file times, and we are quicker than those
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200"},
    )
    assert "Contracts:" in run.stdout, run.stdout + run.stderr
    return {line.removesuffix(" BROKEN") for line in run.stdout.splitlines() if line.endswith(" BROKEN")}


def test_every_contract_is_broken_here_once() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert {contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]} == set(BREAKS)


def test_all_contracts_hold(tree: Path) -> None:
    assert broken_contracts(tree) == set()


@pytest.mark.parametrize("contract", BREAKS)
def test_a_contract_says_when_it_is_broken(tree: Path, contract: str) -> None:
    file, line = BREAKS[contract]
    path = tree / file
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        assert contract in broken_contracts(tree)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
