"""A child ends with its parent, however the parent ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PARENT = """
import subprocess, sys, time
from shared import lifeline
child = subprocess.Popen({command})
print(child.pid, flush=True)
time.sleep(60)
"""
SLEEPER = "import time; time.sleep(60)"
PYTHON_CHILD = f"from shared.lifeline import end_with_parent; end_with_parent(); print('armed', flush=True); {SLEEPER}"
WATCHED = f"""
import os, sys
from shared import lifeline
lifeline.watch(os.getppid(), [sys.executable, "-c", {SLEEPER!r}])
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def command_line(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def start_parent(command: str) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(command=command)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    return parent, int(parent.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_when_its_parent_is_killed(number: signal.Signals) -> None:
    parent, child = start_parent(f"lifeline.command(sys.executable, '-c', {SLEEPER!r})")
    with parent:
        wait_until(lambda: SLEEPER in command_line(child) and "shared.lifeline" not in command_line(child))
        parent.send_signal(number)
        wait_until(lambda: not is_running(child))


def test_a_python_child_can_see_to_it_itself() -> None:
    parent, child = start_parent(f"[sys.executable, '-c', {PYTHON_CHILD!r}]")
    with parent:
        assert parent.stdout
        assert parent.stdout.readline() == "armed\n"
        parent.kill()
        wait_until(lambda: not is_running(child))


def test_a_program_whose_parent_has_gone_already_never_starts(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = [sys.executable, "-c", f"open({str(trace)!r}, 'w')"]
    not_our_parent = str(os.getppid())
    done = subprocess.run([sys.executable, "-m", "shared.lifeline", not_our_parent, *program], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not trace.exists()


def test_where_the_kernel_does_not_watch_a_watcher_does() -> None:
    parent, watcher = start_parent(f"[sys.executable, '-c', {WATCHED!r}]")
    with parent:
        wait_until(lambda: bool(children_of(watcher)))
        program = children_of(watcher)[0]
        parent.kill()
        wait_until(lambda: not is_running(program) and not is_running(watcher))


def test_a_watcher_passes_signals_on() -> None:
    parent, watcher = start_parent(f"[sys.executable, '-c', {WATCHED!r}]")
    with parent:
        wait_until(lambda: bool(children_of(watcher)))
        program = children_of(watcher)[0]
        os.kill(watcher, signal.SIGTERM)
        wait_until(lambda: not is_running(program))
        parent.kill()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
