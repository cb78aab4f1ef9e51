"""The store's collections that planning uses, as small working ones in memory, and the source database."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from pymongo.errors import ServerSelectionTimeoutError

from shared.evaluations import FrozenRow, Part
from shared.messages import AgentInput, EvaluationTask, ReviewInput, RunInput
from shared.state import Plan
from shared.store import Store
from shared.store.evidence import PieceRows
from shared.store.plans import Subject
from shared.store.sources import UnreadableRowError, Window
from shared.store.tasks import StoredTask
from tests.builders import NOON
from tests.fakes import FakeParts, FakeReports, FakeUploads


class FakePlans:
    """Plans by report_id, the first one wins and brings its parts."""

    def __init__(self, parts: FakeParts) -> None:
        self.stored: dict[str, Plan] = {}
        self.published: dict[str, int] = {}
        self._parts = parts

    async def get(self, report_id: str) -> Plan | None:
        return self.stored.get(report_id)

    async def store(self, plan: Plan, parts: tuple[Part, ...], expires_at: datetime) -> Plan:
        assert expires_at > plan.deadline_at
        if plan.report_id not in self.stored:
            self.stored[plan.report_id] = plan
            self._parts.put(parts)
        return self.stored[plan.report_id]

    async def before(self, subject: Subject, accepted_at: datetime) -> AsyncIterator[Plan]:
        about = [plan for plan in self.stored.values() if Subject(plan.owner, plan.kind, plan.subject) == subject]
        earlier = [plan for plan in about if plan.accepted_at < accepted_at]
        for plan in sorted(earlier, key=lambda plan: plan.accepted_at, reverse=True):
            yield plan

    async def is_published(self, report_id: str, generation: int) -> bool:
        return self.published.get(report_id, 0) >= generation

    async def mark_published(self, report_id: str, generation: int) -> None:
        self.published[report_id] = max(generation, self.published.get(report_id, 0))


class FakeTasks:
    """Tasks by token and the index of their part; `away` as if the database were."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, int], StoredTask] = {}
        self.away = False

    async def insert(self, token: str, tasks: Sequence[StoredTask], expires_at: datetime) -> None:
        if self.away:
            raise ServerSelectionTimeoutError("timed out")
        assert expires_at > NOON
        for task in tasks:
            assert (token, task.number) not in self.stored
            self.stored[token, task.number] = task

    async def get(self, token: str, index: int) -> EvaluationTask | None:
        task = self.stored.get((token, index))
        return EvaluationTask.model_validate_json(task.body) if task else None

    async def of_plan(self, token: str, start: int, end: int) -> AsyncIterator[StoredTask]:
        for (owner, number), task in sorted(self.stored.items()):
            if owner == token and start <= number < end:
                yield task


class FakeEvidence:
    """Frozen rows by token and the index of their piece."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, int], list[FrozenRow]] = {}

    async def insert(self, token: str, pieces: Sequence[PieceRows], expires_at: datetime) -> None:
        assert expires_at > NOON
        for piece in pieces:
            assert (token, piece.number) not in self.stored
            self.stored[token, piece.number] = list(piece.rows)

    async def of_plan(self, token: str) -> AsyncIterator[FrozenRow]:
        for (owner, _), rows in sorted(self.stored.items()):
            if owner == token:
                for row in rows:
                    yield row


class FakeBaselines:
    """The parts of baselines by token."""

    def __init__(self) -> None:
        self.stored: dict[str, list[Part]] = {}

    async def insert(self, token: str, first: int, parts: Sequence[Part], expires_at: datetime) -> None:
        assert expires_at > NOON
        assert len(self.stored.setdefault(token, [])) == first
        self.stored[token] += parts


class FakeSources:
    """One environment and one app; `broken` is an agent or a language with a row that cannot be read."""

    def __init__(self) -> None:
        self.all_agents: list[AgentInput] = []
        self.runs: dict[str, list[RunInput]] = {}
        self.all_reviews: list[ReviewInput] = []
        self.broken: str | None = None
        self.windows: set[Window] = set()

    async def agents(self, environment_id: str, agent_ids: Sequence[str] | None) -> AsyncIterator[AgentInput]:
        assert environment_id == "42"
        for agent in self.all_agents:
            if agent_ids is None or agent.agent_id in agent_ids:
                yield agent

    async def last_runs(
        self, environment_id: str, agent_id: str, window: Window, model: str | None, limit: int
    ) -> AsyncIterator[RunInput]:
        self._look(agent_id, window)
        for run in self._runs_of(environment_id, agent_id, model)[:limit]:
            yield run

    async def count_runs(self, environment_id: str, agent_id: str, window: Window, model: str | None) -> int:
        self.windows.add(window)
        return len(self._runs_of(environment_id, agent_id, model))

    async def languages(self, app_id: str, window: Window) -> list[str]:
        assert app_id == "7"
        self.windows.add(window)
        return sorted({review.language for review in self.all_reviews})

    async def reviews(self, app_id: str, language: str, window: Window) -> AsyncIterator[ReviewInput]:
        assert app_id == "7"
        self._look(language, window)
        for review in self.all_reviews:
            if review.language == language:
                yield review

    def _runs_of(self, environment_id: str, agent_id: str, model: str | None) -> list[RunInput]:
        assert environment_id == "42"
        return [run for run in self.runs.get(agent_id, []) if model is None or run.model == model]

    def _look(self, key: str, window: Window) -> None:
        self.windows.add(window)
        if key == self.broken:
            raise UnreadableRowError(f"document of {key!r}: run_id: Field required")


class Stored(NamedTuple):
    """The fakes of one store."""

    parts: FakeParts
    plans: FakePlans
    tasks: FakeTasks
    evidence: FakeEvidence
    baselines: FakeBaselines
    reports: FakeReports
    uploads: FakeUploads
    sources: FakeSources

    @property
    def store(self) -> Store:
        """The same as planning wants it."""
        return cast("Store", self)


def a_store(parts: Iterable[Part] = ()) -> Stored:
    """An empty store, or one with these parts."""
    stored = FakeParts()
    stored.put(parts)
    plans = FakePlans(stored)
    others = FakeReports(), FakeUploads(), FakeSources()
    return Stored(stored, plans, FakeTasks(), FakeEvidence(), FakeBaselines(), *others)
