"""What the rooms talk to outside of the database: the broker by way of the laws, the judge, the render process."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.claims import Done
from services.renderer import rendering
from services.renderer.press import Press
from services.renderer.rendering import Rendered
from shared.messages import (
    EVENT,
    EvaluationTask,
    Event,
    ReportStatus,
)
from shared.store.tasks import StoredTask
from shared.vocabulary import Reason, Role
from tests.model.laws import Known
from tests.model.processes import Process, Step, gate
from tests.unit.evaluator.replies import MODEL, a_criterion, a_reply, a_team_answer, an_agent_answer, usage

if TYPE_CHECKING:
    from tests.model.world import World

IN_HAND: ContextVar[Known | None] = ContextVar("in_hand", default=None)
TASK: ContextVar[EvaluationTask] = ContextVar("task")


class Outbox:
    """What every room says: each record is an effect of its own."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def event(self, event: Event) -> None:
        await gate(f"say {event.type}")
        self._world.laws.event(event, self._world.stored.books.settled, IN_HAND.get())
        self._world.publish_event(event)

    async def outcome(self, report_id: str, outcome: Done) -> None:
        event = EVENT.validate_json(outcome.body)
        assert event.report_id == report_id
        await self.event(event)

    async def tasks(self, tasks: Sequence[StoredTask]) -> None:
        for task in tasks:
            await gate(f"say task {task.number}")
            published = EvaluationTask.model_validate_json(task.body)
            self._world.laws.plan(self._world.stored.plans.stored[published.report_id])
            self._world.tasks.append(task.partition, published)

    async def overview(self, task: EvaluationTask) -> None:
        await gate("say overview")
        self._world.tasks.append(task.partition, task)

    async def status(self, status: ReportStatus) -> None:
        await gate(f"say status {status.version} {status.status}")
        self._world.laws.status(status)


class Judge:
    """Answers when it is let: with scores that are never the same twice, or not at all."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def ask(self, model: str, turns: Sequence[Turn], form: Form, timeout_seconds: float) -> Reply | Failure:
        del model, turns, form
        task, known = TASK.get(), IN_HAND.get()
        assert known is not None
        await gate("judge.ask")
        self._world.laws.paid(task, known)
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await gate("judge.answer")
        except TimeoutError:
            return Failure(Reason.TIMED_OUT, "no answer", again=True)
        return self._say(answer, task)

    def _say(self, answer: str | None, task: EvaluationTask) -> Reply | Failure:
        self._world.answers += 1
        match answer:
            case "limited":
                return Failure(Reason.RATE_LIMITED, "slower", again=True, after=5.0)
            case "refused":
                return Failure(Reason.REFUSED, f"no, for the time numbered {self._world.answers}", again=False)
            case "nonsense":
                return a_reply("{}")
            case _:
                return self._scores(task)

    def _scores(self, task: EvaluationTask) -> Reply:
        names = [criterion.name for criterion in task.criteria]
        scores = [a_criterion(name, 5 + self._world.answers / 100, evidence=()) for name in names]
        said = a_team_answer(*scores) if task.role is Role.OVERVIEW else an_agent_answer(*scores)
        return Reply(said.model_dump_json(), MODEL, usage())


class Pool:
    """A render process: a workbook is one effect, which says what its parts were."""

    def __init__(self, world: "World", process: Process) -> None:
        self._world = world
        self._process = process

    def submit(self, work: object, report_id: str, *_: object) -> "Future[Any]":
        job: Future[Any] = Future()
        if work is not rendering.render:
            job.set_result(None)
            return job

        self._world.laws.renders(self._world.stored.renders.held, report_id, self._process.name)

        def let(argument: object) -> None:
            if job.cancelled():
                return
            if argument == "broken":
                job.set_exception(OSError("disk full"))
                return
            files = self._world.stored.files.stored
            file_id = f"file-{len(files)}"
            files[file_id] = self._world.stored.parts.of(report_id)
            job.set_result(Rendered(file_id, "ab", 10, 1.0))

        self._process.stage.waiting.append(Step(self._process, "render", let))
        return job


class ModelPress(Press):
    """The press, with such a pool."""

    def __init__(self, world: "World", process: Process, **ports: Any) -> None:
        self._world = world
        self._process = process
        super().__init__(**ports)

    def _new_pool(self) -> ProcessPoolExecutor:
        return cast("ProcessPoolExecutor", Pool(self._world, self._process))
