"""Evaluators and a judge on a loop whose clock jumps to whatever comes next: minutes of calls in a moment, the same
each time.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.gates import Gates
from services.evaluator.handlers import AsksJudge, Handlers, Now
from services.evaluator.ledger import Dials, Ledger
from services.evaluator.slots import Clock
from services.standalone.behaviour import Behaviour, Fault
from shared.messages import EvaluationTask, Outcome, PartDelayed
from shared.settings import LlmSettings
from shared.telemetry import Metrics
from shared.vocabulary import Reason
from tests.builders import at
from tests.fakes import FakeBooks
from tests.unit.evaluator.replies import a_failure, a_reply
from tests.unit.evaluator.rooms import FakeAnnounce

Result = TypeVar("Result")

SPREAD = 0.2  # of an answer's time, up or down: calls that end all at once are no test
WAY_SECONDS = 0.005  # from the evaluator to the judge
QUICK_SECONDS = 0.01  # how long it takes to say no
_SAID_AT_ONCE = {
    Fault.RATE_LIMITED: a_failure(Reason.RATE_LIMITED, after=1.0),
    Fault.SERVER_ERROR: a_failure(Reason.PROVIDER_ERROR),
    Fault.QUOTA: a_failure(Reason.QUOTA_EXHAUSTED, again=False),
    Fault.REFUSED: a_failure(Reason.REFUSED, again=False),
}


class _Jumping:
    """A selector that watches nothing and does not wait."""

    def __init__(self, loop: "JumpingLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        assert timeout is not None, "everybody waits for ever"
        self._loop.seconds += timeout
        return []

    def close(self) -> None: ...


class JumpingLoop(asyncio.BaseEventLoop):
    """An event loop on which waiting takes no time."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jumping(self)
        self.seconds = 0.0

    def time(self) -> float:
        return self.seconds

    def _process_events(self, event_list: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


def now() -> float:
    return asyncio.get_running_loop().time()


class MoodyJudge:
    """Behaves like the stand-in, by the same rules, without sockets. Says no at once, and everything else in time."""

    def __init__(self, behaviour: Behaviour, seed: int = 0) -> None:
        self.behaviour = behaviour
        self.dice = random.Random(seed)  # a seed gives the same run
        self.in_flight = 0
        self.said: Counter[str] = Counter()
        self.answered_at: list[float] = []

    async def ask(self, model: str, turns: Sequence[Turn], form: Form, timeout_seconds: float) -> Reply | Failure:
        del model, turns, form
        await asyncio.sleep(WAY_SECONDS)
        fault: Fault | None = self.behaviour.fault("", sum(self.said.values()), self.in_flight)
        self.said[fault or "answer"] += 1
        if fault in _SAID_AT_ONCE:
            await asyncio.sleep(QUICK_SECONDS)
            return _SAID_AT_ONCE[fault]
        if fault is Fault.TIMEOUT:
            await asyncio.sleep(timeout_seconds)
            return a_failure(Reason.TIMED_OUT)
        self.in_flight += 1
        spread = self.dice.uniform(1 - SPREAD, 1 + SPREAD)
        await asyncio.sleep(self.behaviour.latency_seconds * spread)
        self.in_flight -= 1
        self.answered_at.append(now())
        return a_reply("{}") if fault else a_reply()


class Sample(NamedTuple):
    """What a moment looked like: the limits of all evaluators, and the calls that the judge was answering."""

    at: float
    limits: tuple[int, ...]
    in_flight: int


class VirtualEvaluator:
    """One evaluator with the services' own handlers, ledger and gates; it takes so many tasks at once as the real."""

    def __init__(self, judge: AsksJudge, seed: int = 0, look_ahead: int = 60, **settings: Any) -> None:
        llm = LlmSettings(_env_file=None, **settings)
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry, "evaluator", "0")
        self.announce = FakeAnnounce()
        self.gates = Gates(llm, Clock(now, asyncio.get_running_loop().call_later), metrics)
        self._in_hand = asyncio.Semaphore(self.gates.most + look_ahead)
        names = iter(range(1_000_000))
        dials = Dials(_utc, lambda: 0.5, lambda: f"owner {next(names)}", timedelta(days=1))
        ledger = Ledger(FakeBooks(), _no_standings, dials, metrics)
        dice = random.Random(seed)  # a seed gives the same run
        self.handlers = Handlers(
            judge=judge,
            pace=self.gates,
            ledger=ledger,
            announce=self.announce,
            settings=llm,
            now=Now(_utc, now, dice.random, asyncio.sleep),
            metrics=metrics,
        )

    async def judge_all(self, tasks: Sequence[EvaluationTask]) -> list[Outcome]:
        """What these tasks come to."""
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                await self._in_hand.acquire()
                group.create_task(self._one(task))
        return [event for event in self.announce.events if not isinstance(event, PartDelayed)]

    async def _one(self, task: EvaluationTask) -> None:
        try:
            await self.handlers.on_task(task)
        finally:
            self._in_hand.release()

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"assay_{name}", labels) or 0.0


def _utc() -> datetime:
    return at(now())


async def _no_standings(report_ids: object) -> dict[str, Any]:
    del report_ids
    return {}
