"""Which judgements are the same, what is kept of one, and that a hit costs nothing and says so."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.evaluator.cache import content_key, kept_of, recalled
from services.evaluator.claims import Permission
from services.evaluator.remembered import Memory
from shared.evaluations import EvidenceRow, Trials, Usage
from shared.messages import EvaluationTask, JudgeOptions, Outcome, PartEvaluated
from shared.state import Claim
from shared.store import StoreUnavailableError
from shared.telemetry import Metrics
from shared.vocabulary import Lane, Reason, Role
from tests.builders import AGENT_CRITERIA, NOON, a_task, at
from tests.unit.renderer.folding import PRICED, evaluated, failed

CLAIM = Claim("key", "owner", at(60))
URL = "http://judge/v1"


def cached(**changes: Any) -> EvaluationTask:
    return a_task(**{"judge": JudgeOptions(model="gpt-4o-mini", cache=True), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"report_id": "another", "part_id": "another/agent/7"},
        {"generation": 2},
        {"deadline_at": at(5)},
        {"lane": Lane.BULK, "partition": 3},
        {"judge": JudgeOptions(model="gpt-4o-mini", timeout_seconds=5)},
    ],
)
def test_whose_a_task_is_and_when_it_is_due_makes_no_difference(changes: dict[str, Any]) -> None:
    assert content_key(cached(**changes), URL) == content_key(cached(), URL)


def test_all_else_does() -> None:
    task, group = cached(), cached().evidence[0]
    others = [
        cached(judge=JudgeOptions(model="gpt-4o")),
        cached(judge=JudgeOptions(model="gpt-4o-mini", trials=2)),
        cached(goal="Another."),
        cached(name="Another"),
        cached(role=Role.OVERVIEW),
        cached(prompt_version="0"),
        cached(criteria=AGENT_CRITERIA[:2]),
        cached(criteria=(AGENT_CRITERIA[0].model_copy(update={"weight": 0.5}), *AGENT_CRITERIA[1:])),
        cached(criteria=(AGENT_CRITERIA[0].model_copy(update={"threshold": 8}), *AGENT_CRITERIA[1:])),
        cached(evidence=(group.model_copy(update={"rows": group.rows[:1]}),)),
        cached(evidence=(group.model_copy(update={"rows": (*group.rows[:1], renamed(group.rows[1]))}),)),
    ]
    keys = {content_key(other, URL) for other in others}
    assert len(keys) == len(others)
    assert content_key(task, URL) not in keys
    assert content_key(task, "http://another/v1") != content_key(task, URL)


def renamed(row: EvidenceRow) -> EvidenceRow:
    """What it says is the same, but it is another row: the evaluation cites rows by their ids."""
    return row.model_copy(update={"id": "another"})


def test_a_hit_is_the_judgement_under_the_tasks_own_name_at_no_cost() -> None:
    kept = kept_of(evaluated("7", attempts=2))
    assert kept is not None
    found = recalled(a_task("8"), kept, at(70))
    assert (found.part_id, found.usage, found.saved, found.seconds) == (a_task("8").part_id, Usage(), PRICED, 0)
    assert (found.evaluation, found.score, found.passed) == (kept.evaluation, 7.5, True)
    assert (found.attempts, found.finished_at) == (2, at(70))
    assert kept_of(found) is None


def test_a_judgement_some_of_which_failed_is_not_kept() -> None:
    assert kept_of(evaluated("7", trials=Trials(asked=3, judged=2, failed=(Reason.REFUSED,)))) is None
    assert kept_of(evaluated("7", trials=Trials(asked=3, judged=3))) is not None


# --- one evaluator's memory


class FakeJudgements:
    """Judgements in memory; the database may be away."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.expiries: list[datetime] = []
        self.away = False

    async def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        self._reach()
        return {key: self.stored[key] for key in keys if key in self.stored}

    async def keep(self, key: str, body: str, expires_at: datetime) -> None:
        self._reach()
        self.stored.setdefault(key, body)
        self.expiries.append(expires_at)

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailableError("away")


class ARoom:
    """A memory before a judge that has one outcome for everything."""

    def __init__(self, outcome: Outcome | Permission, judgements: FakeJudgements | None = None) -> None:
        self.judgements = judgements or FakeJudgements()
        self.asked = 0
        self.registry = CollectorRegistry()
        self._outcome = outcome
        metrics = Metrics(self.registry, "evaluator", "0")
        memory = Memory(self.judgements, judge_url=URL, retention=timedelta(days=30), utc=lambda: NOON, metrics=metrics)
        self.outcome_of = memory.remembered(self._judge)

    async def _judge(self, task: EvaluationTask, claim: Claim) -> Outcome | Permission:
        del task, claim
        self.asked += 1
        return self._outcome

    async def gives(self, task: EvaluationTask) -> Outcome | Permission:
        return await self.outcome_of(task, CLAIM)

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"assay_{name}", labels) or 0.0


async def test_the_same_again_is_not_paid_for_and_its_saving_is_counted() -> None:
    room = ARoom(evaluated("7"))
    first, again = await room.gives(cached()), await room.gives(cached(report_id="another"))
    assert room.asked == 1
    assert isinstance(first, PartEvaluated)
    assert isinstance(again, PartEvaluated)
    assert (first.saved, again.saved, again.report_id) == (None, PRICED, "another")
    assert room.judgements.expiries == [NOON + timedelta(days=30)]
    assert (room.counted("cache_total", result="miss"), room.counted("cache_total", result="hit")) == (1, 1)
    assert room.counted("cache_saved_tokens_total", model="gpt-4o-mini", direction="input") == 1_000
    assert room.counted("cache_saved_usd_total", model="gpt-4o-mini") == 0.001


async def test_without_the_option_nothing_is_looked_for_or_kept() -> None:
    room = ARoom(evaluated("7"))
    await room.gives(a_task())
    await room.gives(a_task())
    assert (room.asked, room.judgements.stored) == (2, {})


@pytest.mark.parametrize("outcome", [failed("7"), Permission.ENDED])
async def test_a_failure_is_never_remembered(outcome: Outcome | Permission) -> None:
    room = ARoom(outcome)
    assert await room.gives(cached()) is outcome
    assert room.judgements.stored == {}


async def test_while_the_database_is_away_everything_is_judged() -> None:
    room = ARoom(evaluated("7"))
    room.judgements.away = True
    assert await room.gives(cached()) == evaluated("7")
    assert room.counted("cache_total", result="miss") == 1


async def test_what_cannot_be_read_is_judged_anew() -> None:
    judgements = FakeJudgements()
    judgements.stored[content_key(cached(), URL)] = '{"evaluation": "of a later release"}'
    room = ARoom(evaluated("7"), judgements)
    await room.gives(cached())
    assert room.asked == 1
