"""What a newcomer types first: the demo, and a report of their own, everything real but the judge."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.settings import inherited_environment

pytestmark = pytest.mark.only_on("embedded")  # as a newcomer has it

CONFIGURED = ("KAFKA_", "MONGO_", "OPENAI_", "GATEWAY_", "STANDIN_", "ASSAY_")
ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.console", *arguments]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in inherited_environment().items() if not name.startswith(CONFIGURED)}
    return {**kept, "PYTHONPATH": str(ROOT)}


def assay(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=directory, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )


def test_the_demo_shows_a_failed_part_in_a_workbook_and_exits_with_0(tmp_path: Path) -> None:
    done = assay(tmp_path, "demo", "--latency", "0")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Judge: stand-in (no model)")
    assert "5 of 6 judged" in done.stderr
    assert (tmp_path / "assay-demo.xlsx").read_bytes().startswith(b"PK")


def test_a_run_of_reviews_ends_with_the_final_status_document(tmp_path: Path) -> None:
    reviews = [{"review_id": n, "language": ("en", "de")[n % 2], "text": "Great"} for n in range(10)]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, reviews)))
    done = assay(tmp_path, "run", "--reviews", "mine.jsonl", "--json", "--option", "report_id=mine", "--refuse", "de")
    document = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, document["status"]) == (3, "completed_with_errors"), done.stderr
    assert (document["report_id"], document["counts"]["errored"]) == ("mine", 1)
    assert (tmp_path / "mine.xlsx").exists()


def test_a_wrong_option_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"kind": "agents"}')
    done = assay(tmp_path, "run", "request.json", "--option", "colour=red")
    assert done.returncode == 2
    assert "known are judge_model" in done.stderr


def test_a_standalone_says_when_it_is_ready_and_ends_in_order_when_told(tmp_path: Path) -> None:
    arguments = command("standalone", "--data-dir", str(tmp_path / "data"), "--port", "0")
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        announcement = json.loads(process.stdout.readline())
        assert announcement["ready"] is True
        assert set(announcement) >= {"gateway", "kafka", "mongo"}
        children = children_of(process.pid)
        second = assay(tmp_path, "standalone", "--data-dir", str(tmp_path / "data"), "--port", "0")
        assert (second.returncode, "in use by another standalone" in second.stderr) == (2, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_children_do_not_outlive_a_standalone_that_is_killed(tmp_path: Path) -> None:
    arguments = command("standalone", "--data-dir", str(tmp_path / "data"), "--port", "0")
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        children = children_of(process.pid)
        assert len(children) == 7
        process.kill()
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
