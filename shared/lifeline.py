"""Ends a child process with its parent whatever happens to the parent, `kill -9` included.

`python -m shared.lifeline PARENT_PID PROGRAM [ARGUMENT]...` runs a program that way. On Linux the kernel does the
watching and the program takes over this process, so that the child's process id is the program's. Elsewhere this
process stays, passes signals on, and looks every POLL_SECONDS whether the parent is still there.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType

POLL_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PASSED_ON = (signal.SIGTERM, signal.SIGINT)


def command(*program: str) -> tuple[str, ...]:
    """The command line that runs a program as a child which ends with the calling process."""
    return (sys.executable, "-m", "shared.lifeline", str(os.getpid()), *program)


def end_with_parent(parent_pid: int | None = None) -> None:
    """Have this process killed when its parent ends. `parent_pid` None means whoever is the parent now.

    On Linux the end of the thread that started this process counts: start it from one that lives as long as needed.
    """
    parent = os.getppid() if parent_pid is None else parent_pid
    if sys.platform == "linux":
        _ask_the_kernel()
        if os.getppid() != parent:  # it ended before the kernel was asked, which then has nothing to tell
            os.kill(os.getpid(), signal.SIGKILL)
    else:
        threading.Thread(target=_kill_when_orphaned, args=(parent, os.getpid()), daemon=True).start()


def watch(parent: int, program: Sequence[str]) -> int:
    """Run a program and kill it once `parent` is not ours any more; return its exit code."""
    child = subprocess.Popen(program)  # noqa: S603  # the caller's program is what this is for

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in _PASSED_ON:
        signal.signal(number, pass_on)
    while True:
        try:
            return child.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:
                child.kill()


def _ask_the_kernel() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _kill_when_orphaned(parent: int, child: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(child, signal.SIGKILL)


def main() -> None:
    """Run the program named on the command line."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform != "linux":
        sys.exit(watch(parent, program))
    end_with_parent(parent)
    os.execvp(program[0], program)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main()
