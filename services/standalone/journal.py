"""Writes down what the stand-in judge is asked, so that its count outlives it and tells who asked about what."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from services.standalone.behaviour import Fault
from services.standalone.question import Question


class Asked(NamedTuple):
    """A call as it arrives: its number in this process, who asks (the key shown), about what, and what goes wrong."""

    number: int
    who: str
    question: Question | None
    fault: Fault | None


class Journal:
    """Lines of JSON, each in the file before the call goes on: one as a call arrives, one as it ends.

    A call that never ended was in flight when the judge died; `run` tells its processes apart.
    """

    def __init__(self, descriptor: int, clock: Callable[[], float], run: int) -> None:
        self._descriptor = descriptor
        self._clock = clock
        self._run = run

    @classmethod
    def at(cls, path: Path, clock: Callable[[], float]) -> Self:
        """Write on at the end of this file."""
        return cls(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), clock, os.getpid())

    def begin(self, asked: Asked) -> None:
        """A call has arrived."""
        question = asked.question
        about = {"goal": question.goal, "role": question.role, "key": question.key} if question else {}
        self._write(asked.number, {"who": asked.who, **about, "fault": asked.fault})

    def end(self, number: int, *, answered: bool) -> None:
        """It was answered, or whoever asked has gone."""
        self._write(number, {"end": "answered" if answered else "gone"})

    def _write(self, number: int, facts: dict[str, str | None]) -> None:
        line = {"run": self._run, "call": number, "at": self._clock(), **facts}
        os.write(self._descriptor, f"{json.dumps(line)}\n".encode())
