"""The world: broker, database, judge and clock in memory, the processes in it, and what can be done to them."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple
from zlib import crc32

from shared.messages import CancelRequested, Event, RenderRequested, ReportRequested, Request, RetryRequested
from tests.builders import NOON, a_request
from tests.fakes import FakeUploads
from tests.model.broker import Topic
from tests.model.database import Files, Parts, Stored
from tests.model.laws import Laws
from tests.model.processes import Process, Stage, Step
from tests.model.rooms import PARTITIONS, ROOMS, Rules
from tests.stores import FakeEvidence, FakeSources, FakeTasks

REAL = Rules()
CREW = {"orchestrator": 1, "renderer": 2, "evaluator": 2}
MOST_STEPS = 6_000
MOST_ZOMBIES = 2
MOST_STEPS_BEFORE_A_STRIKE = 60

RUNS = [{"run_id": "run-1", "output": "It arrives on Monday."}]
AGENTS = {"agents": [{"agent_id": key, "runs": RUNS} for key in ("7", "8")]}
CONTENTS: dict[str, dict[str, Any]] = {
    "synthesis": {"data": AGENTS},
    "concurrent": {"data": AGENTS, "options": {"overview": "concurrent"}},
    "fail fast": {"data": AGENTS, "options": {"fail_fast": True}},
    "one without data": {"data": {"agents": [{"agent_id": "7", "runs": RUNS}, {"agent_id": "8"}]}},
    "nothing to judge": {"data": {"agents": [{"agent_id": "7"}]}},
    "on a budget": {"data": AGENTS, "options": {"token_limit": 1_100}},  # what one answer takes
    "on a budget at once": {"data": AGENTS, "options": {"token_limit": 1_100, "overview": "concurrent"}},
    "in a hurry": {"data": AGENTS, "options": {"deadline_seconds": 60}},
}


class Hint(NamedTuple):
    """Where fate strikes more often than elsewhere."""

    effect: str
    fate: str


class Strike(NamedTuple):
    """After which effect, the nth of its kind, while the room `asleep` does nothing, what happens.

    `kill` is kill -9, `forsake` a group that goes on without its member, `leave` SIGTERM, `stop` SIGSTOP beyond the
    lease; `repeat`: a record of the topic is there once more; `lose`: the events are lost.
    """

    effect: str
    nth: int
    fate: str
    asleep: str | None
    topic: str
    which: int


class World:
    """All of it; the rules of the services can be replaced by broken ones."""

    def __init__(self, rules: Rules = REAL) -> None:
        self.rules = rules
        self.laws = Laws()
        self.stage = Stage(self.laws.broken.append)
        self.requests = Topic("requests", 1, self.laws.must)
        self.tasks = Topic("tasks", PARTITIONS, self.laws.must)
        self.events = Topic("events", PARTITIONS, self.laws.must)
        self.answers = 0
        self.names = count(1)
        self.processes: list[Process] = []
        self.leaving: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        self.asked: dict[str, list[ReportRequested]] = {}
        self.hint: Hint | None = None
        self.may_lose = False  # records of topics that are made anew
        self.lossy = False  # some were lost
        parts = Parts()
        self.stored = Stored(
            parts=parts,
            plans=rules.plans(parts),
            tasks=FakeTasks(),
            evidence=FakeEvidence(),
            reports=rules.reports(parts, self.laws.folded),
            uploads=FakeUploads(),
            sources=FakeSources(),
            books=rules.books(self.utc, self.laws.must),
            renders=rules.renders(),
            files=Files(),
        )
        for room, number in CREW.items():
            for _ in range(number):
                self.start(room)

    def utc(self) -> datetime:
        return NOON + timedelta(seconds=self.stage.loop.time())

    def new_name(self) -> str:
        return f"name-{next(self.names)}"

    # --- what can be asked for

    def request(self, report_id: str, content: str | None) -> None:
        """Content of the first request of this id, or another's; None is the same again."""
        if content is not None:
            request = a_request(report_id=report_id, **CONTENTS[content])
            self.asked.setdefault(report_id, []).append(request)
            self.ask(request)
        elif report_id in self.asked:
            self.ask(self.asked[report_id][0])

    def cancel(self, report_id: str) -> None:
        self.ask(CancelRequested(report_id=report_id))

    def render(self, report_id: str) -> None:
        self.ask(RenderRequested(report_id=report_id))

    def retry(self, report_id: str, part_ids: Sequence[str] | None = None) -> None:
        """As the gateway asks: the generation after the one that is stored."""
        report = self.stored.reports.stored.get(report_id)
        generation = report.generation + 1 if report else 2
        wanted = tuple(part_ids) if part_ids is not None else None
        self.ask(RetryRequested(report_id=report_id, generation=generation, part_ids=wanted))

    def ask(self, request: Request) -> None:
        self.stage.tell(
            str(request) if not isinstance(request, ReportRequested) else f"a request for {request.report_id}"
        )
        self.requests.append(0, request)
        self.stage.loop.settle()

    def publish_event(self, event: Event) -> None:
        self.events.append(crc32(event.report_id.encode()) % PARTITIONS, event)

    # --- what can happen

    def start(self, room: str) -> None:
        process = Process(f"{room}-{next(self.names)}", room, self.stage)
        self.processes.append(process)
        ROOMS[room](self, process)
        self.stage.loop.settle()

    def strike(self, at: Strike) -> None:
        """Let all but one room work until such an effect was seen so often; then its process has its fate."""
        nth = at.nth
        for _ in range(MOST_STEPS_BEFORE_A_STRIKE):
            step = self._next(lambda process: process.room == at.asleep)
            if step is None:
                return
            self.stage.let(step)
            nth -= step.what.startswith(at.effect)
            if nth == 0:
                self.stage.tell(f"{step.process.name}: {at.fate}")
                self._hit(step.process, at)
                return

    def _hit(self, process: Process, at: Strike) -> None:
        crowded = process.zombie or sum(process.zombie for process in self.processes) == MOST_ZOMBIES
        match at.fate:
            case "lose":
                self.trouble("events", "make anew", 0)
            case "repeat" | "rebalance":
                self.trouble(at.topic, at.fate, at.which)
            case "leave" if process.room == "evaluator" and not crowded:
                self._leave(process)
            case "forsake" | "stop" if not crowded:
                self._forsake(process)
            case _:
                self._kill(process)
        if at.fate == "stop":
            self.wait(25)
            self.run(60, asleep=process)

    def _kill(self, process: Process) -> None:
        """Another takes its place."""
        self.processes.remove(process)
        process.kill()
        if not process.zombie:
            self.start(process.room)

    def _forsake(self, process: Process) -> None:
        """A zombie: its group goes on without it, and it goes on as well."""
        process.zombie = True
        for step in process.at_end:
            step()
        self.start(process.room)

    def _leave(self, process: Process) -> None:
        """SIGTERM to an evaluator: it leaves its group and finishes its calls."""
        process.zombie = True
        process.start(self.leaving[process.name]())
        self.start(process.room)

    def trouble(self, name: str, what: str, which: int) -> None:
        """What may happen to a topic and its group."""
        topic = {"requests": self.requests, "tasks": self.tasks, "events": self.events}[name]
        self.stage.tell(f"{name}: {what}")
        match what:
            case "rebalance":
                topic.rebalance(which)
            case "repeat":
                self._repeat(topic, which)
            case _:
                self.lossy = True
                topic.make_anew()
        self.stage.loop.settle()

    def _repeat(self, topic: Topic, which: int) -> None:
        """A record is there once more: one of the last."""
        records = [record for log in topic.logs for record in log]
        if records:
            record = records[-1 - which % len(records)]
            topic.append(record.partition, record.value)

    def wait(self, seconds: float) -> None:
        self.stage.tell(f"{seconds} s pass")
        self.stage.loop.advance(seconds)

    # --- one step, or all of them

    def step(self, which: int, room: str | None = None) -> Process | None:
        """Let one of those that wait take its step; returns who took it."""
        waiting = [step for step in self.stage.waiting if room in {None, step.process.room}]
        if not waiting:
            return None
        step = waiting[which % len(waiting)]
        self.stage.let(step)
        return step.process

    def answer(self, which: int, what: str, answer: str) -> None:
        """Let one of those that wait for an answer have this one."""
        waiting = [step for step in self.stage.waiting if step.what == what]
        if waiting:
            self.stage.let(waiting[which % len(waiting)], answer)

    def run(self, steps: int = MOST_STEPS, answer: str | None = None, asleep: Process | None = None) -> None:
        """Everybody does what there is to do, in turn, and nothing fails; the judge's first word can be chosen."""
        for _ in range(min(steps, MOST_STEPS)):
            step = self._next(lambda process: process is asleep)
            if step is None:
                return
            if step.what == "judge.answer" and answer is not None:
                self.stage.let(step, answer)
                answer = None
            else:
                self.stage.let(step)
        if steps >= MOST_STEPS:
            self.laws.broken.append("there is no end of things to do")

    def _next(self, asleep: Callable[[Process], bool]) -> Step | None:
        return next((step for step in self.stage.waiting if not asleep(step.process)), None)

    def run_for(self, seconds: float, tick: float) -> None:
        """The same while time passes, until every report has ended."""
        self.run()
        begun = self.stage.loop.time()
        while self.stage.loop.time() < begun + seconds and not (self.laws.broken or self._at_rest()):
            self.stage.loop.advance(tick)
            self.run()

    def _at_rest(self) -> bool:
        reports = self.stored.reports.stored.values()
        return all(report.status.is_final and not report.render_wanted for report in reports)

    def close(self) -> None:
        self.stage.close()
