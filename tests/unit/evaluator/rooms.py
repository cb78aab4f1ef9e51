"""An evaluator with a judge that answers by script, on a clock that only moves when somebody waits or answers."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.claims import Done
from services.evaluator.gates import Gates
from services.evaluator.handlers import AsksJudge, Handlers, Now
from services.evaluator.ledger import Dials, Ledger
from services.evaluator.slots import Clock
from shared.messages import EVENT, EvaluationTask, Outcome, PartDelayed, PartEvaluated, PartFailed
from shared.settings import LlmSettings
from shared.state import Standing
from shared.telemetry import Metrics
from shared.vocabulary import Lane
from tests.builders import at
from tests.fakes import FakeBooks


class Asked(NamedTuple):
    """A call to the judge."""

    at: float
    model: str
    turns: tuple[Turn, ...]
    form: Form
    timeout_seconds: float


class Answer(NamedTuple):
    """What the judge says next, and how long it takes to say it."""

    says: Reply | Failure
    seconds: float = 10.0


class FakeJudge:
    """Answers by script; a call that takes longer than it may is cut off there, as the real one's is."""

    def __init__(self, room: "AnEvaluator", script: Sequence[Reply | Failure | Answer]) -> None:
        self._room = room
        self._script = [item if isinstance(item, Answer) else Answer(item) for item in script]
        self.asked: list[Asked] = []

    async def ask(self, model: str, turns: Sequence[Turn], form: Form, timeout_seconds: float) -> Reply | Failure:
        self.asked.append(Asked(self._room.seconds, model, tuple(turns), form, timeout_seconds))
        says, seconds = self._script.pop(0)
        self._room.seconds += min(seconds, timeout_seconds)
        await asyncio.sleep(0)
        return says


class FakeAnnounce:
    """Remembers what was said about parts."""

    def __init__(self) -> None:
        self.events: list[Outcome | PartDelayed] = []

    async def event(self, event: Outcome | PartDelayed) -> None:
        self.events.append(event)

    async def outcome(self, report_id: str, outcome: Done) -> None:
        event = EVENT.validate_json(outcome.body)
        assert isinstance(event, PartEvaluated | PartFailed)
        assert (event.report_id, event.type) == (report_id, outcome.kind)
        self.events.append(event)


class AnEvaluator:
    """One evaluator; `seconds` have passed since noon, and `dice` is what chance says. Nobody renews its claims."""

    def __init__(
        self,
        *script: Reply | Failure | Answer,
        dice: float = 0.5,
        lease_seconds: float = 86_400,
        judge: AsksJudge | None = None,
        **settings: Any,
    ) -> None:
        self.seconds = 0.0
        self._owners = itertools.count()
        self._lease = timedelta(seconds=lease_seconds)
        self.slept: list[float] = []
        self.in_flight_while_asleep: list[int] = []
        self.while_asleep: Callable[[], None] = lambda: None
        self.announce = FakeAnnounce()
        self.judge = FakeJudge(self, script)
        self.books = FakeBooks()
        self.standings: dict[str, Standing] = {}
        llm = LlmSettings(_env_file=None, **{"max_concurrency": "1", **settings})
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry, "evaluator", "0")
        self.gates = Gates(llm, Clock(lambda: self.seconds, self._call_later), metrics)
        self.ledger = self.another_ledger(metrics)
        self.handlers = Handlers(
            judge=judge or self.judge,
            pace=self.gates,
            ledger=self.ledger,
            announce=self.announce,
            settings=llm,
            now=Now(self._utc, lambda: self.seconds, lambda: dice, self._sleep),
            metrics=metrics,
        )

    def another_ledger(self, metrics: Metrics | None = None) -> Ledger:
        """Another process's side of the same ledger."""
        dials = Dials(self._utc, lambda: 0.5, lambda: f"owner {next(self._owners)}", self._lease)
        return Ledger(self.books, self._standings, dials, metrics or Metrics(CollectorRegistry(), "evaluator", "0"))

    async def _standings(self, report_ids: Collection[str]) -> Mapping[str, Standing]:
        return {name: self.standings[name] for name in report_ids if name in self.standings}

    def _utc(self) -> datetime:
        return at(self.seconds)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.in_flight_while_asleep.append(self.gates.in_flight)
        self.while_asleep()
        self.seconds += seconds
        await asyncio.sleep(0)

    def _call_later(self, seconds: float, wake: Callable[[], None]) -> asyncio.Handle:
        """Time passes as soon as everybody has done what there is to do."""
        at = self.seconds + seconds

        def ring() -> None:
            self.seconds = max(self.seconds, at)
            wake()

        return asyncio.get_running_loop().call_soon(ring)

    async def evaluated(self, task: EvaluationTask) -> PartEvaluated:
        """Give it a task that must succeed."""
        outcome = await self.outcome(task)
        assert isinstance(outcome, PartEvaluated), outcome
        return outcome

    async def failed(self, task: EvaluationTask) -> PartFailed:
        """Give it a task that must fail."""
        outcome = await self.outcome(task)
        assert isinstance(outcome, PartFailed), outcome
        return outcome

    async def outcome(self, task: EvaluationTask) -> Outcome:
        """Give it a task; what it publishes in the end."""
        await self.handlers.on_task(task)
        *_, outcome = self.announce.events
        assert not isinstance(outcome, PartDelayed)
        assert self.gates.in_flight == 0
        return outcome

    async def somebody_waits(self) -> None:
        """Until a task waits for a slot."""
        for _ in range(100):
            if self.gates.of("gpt-4o-mini").slots.lanes.waiting[Lane.SMALL]:
                return
            await asyncio.sleep(0)
        raise AssertionError("nobody waits for a slot")

    @property
    def delays(self) -> list[PartDelayed]:
        """What was said of waiting parts."""
        return [event for event in self.announce.events if isinstance(event, PartDelayed)]

    def counted(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(f"assay_{name}", labels) or 0.0
