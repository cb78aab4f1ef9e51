"""Which report another one is compared with, and what is kept of it."""

from datetime import datetime
from typing import Any

import pytest

from services.orchestrator import baselines
from shared.evaluations import AgentEvaluation, LanguageEvaluation, Part, Usage
from shared.state import Plan
from shared.vocabulary import Kind, PartStatus, Status
from tests.builders import a_failed_part, a_judged_language, a_judged_part, a_plan, a_report, a_request, an_overview, at
from tests.unit.orchestrator.rooms import AnOrchestrator

pytestmark = pytest.mark.anyio

AGENTS = [{"agent_id": "1", "runs": [{"run_id": "1", "output": "x"}]}]


def comparing(baseline: str, **fields: Any) -> Any:
    wanted = {"environment_id": "42", "data": {"agents": AGENTS}, "options": {"baseline": baseline}}
    return a_request(**{**wanted, **fields})


def had(room: AnOrchestrator, report_id: str = "old", accepted_at: datetime | None = None, **changes: Any) -> Plan:
    """The store has this report."""
    kind, owner = changes.pop("kind", Kind.AGENTS), changes.pop("owner", None)
    of_report = {"kind": kind, "owner": owner, "accepted_at": accepted_at or at(-3_600)}
    subject = changes.pop("subject", "Environment 42")
    plan = a_plan(report_id=report_id, subject=subject, token=report_id, **of_report)
    room.stored.plans.stored[report_id] = plan
    status = {"status": Status.COMPLETED_WITH_ERRORS, **of_report, **changes}
    room.stored.reports.put(a_report(report_id=report_id, **status))
    return plan


def has_parts(room: AnOrchestrator, *parts: Part) -> None:
    room.stored.parts.put([part.model_copy(update={"report_id": "old"}) for part in parts])


async def rejection(room: AnOrchestrator, baseline: str = "old", **fields: Any) -> str:
    await room.handlers.on_report(comparing(baseline, **fields))
    (reason,) = room.rejections
    assert room.tasks == []
    return reason


async def test_a_named_report_becomes_the_baseline_as_it_stands() -> None:
    room = AnOrchestrator()
    old = had(room, generation=3)
    plan = await room.plans(comparing("old"))
    assert plan.baseline is not None
    assert (plan.baseline.report_id, plan.baseline.generation, plan.baseline.title) == ("old", 3, old.title)
    assert (plan.baseline.judge_model, plan.baseline.prompt_version) == (old.options.judge_model, old.prompt_version)
    assert plan.options.baseline == "old"


async def test_what_is_kept_of_it_is_its_pieces_without_their_words() -> None:
    room = AnOrchestrator()
    had(room)
    has_parts(room, a_judged_part("1", 6.5, index=0), a_failed_part("2", index=1), an_overview(index=2))
    plan = await room.plans(comparing("old"))
    judged, failed = room.stored.baselines.stored[plan.token]
    assert (judged.score, judged.criteria) == (6.5, a_judged_part("1").criteria)
    assert isinstance(judged.evaluation, AgentEvaluation)
    assert {scored.score for scored in judged.evaluation.criteria} == {6.5}
    assert not any(scored.reasoning or scored.evidence_ids for scored in judged.evaluation.criteria)
    assert judged.evaluation.reasoning == ""
    assert (failed.status, failed.detail, failed.usage) == (PartStatus.ERRORED, "", Usage())


async def test_many_parts_are_kept_in_several_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "MOST_WAITING_BYTES", 2_000)
    room = AnOrchestrator()
    had(room)
    has_parts(room, *(a_judged_part(str(number), index=number) for number in range(9)))
    plan = await room.plans(comparing("old"))
    assert [part.key for part in room.stored.baselines.stored[plan.token]] == [str(number) for number in range(9)]


async def test_a_language_keeps_its_sentiment_and_which_reviews_were_positive() -> None:
    room = AnOrchestrator()
    had(room, kind=Kind.REVIEWS)
    has_parts(room, a_judged_language("de"))
    reviews = [{"review_id": "1", "language": "de", "text": "good"}]
    plan = await room.plans(
        comparing("old", kind="reviews", app_id="7", environment_id=None, data={"reviews": reviews})
    )
    (kept,) = room.stored.baselines.stored[plan.token]
    assert isinstance(kept.evaluation, LanguageEvaluation)
    assert (kept.evaluation.summary, kept.evaluation.positive_ids) == ("", ("r1", "r2", "r3", "r4"))


async def test_a_report_that_is_not_there_and_one_of_another_owner_are_refused_in_the_same_words() -> None:
    absent, foreign = AnOrchestrator(), AnOrchestrator()
    had(foreign, owner="bob")
    said = await rejection(absent, owner="ann")
    assert said == "options: there is no report 'old' to be the baseline"
    assert await rejection(foreign, owner="ann") == said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": Kind.REVIEWS}, "is about reviews, not agents"),
        ({"status": Status.EVALUATING}, "has not ended: it is evaluating"),
        ({"status": Status.FAILED}, "has no results to compare with: it is failed"),
        ({"status": Status.CANCELLED}, "has no results to compare with: it is cancelled"),
    ],
)
async def test_a_report_that_cannot_be_compared_with_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    room = AnOrchestrator()
    had(room, **changes)
    assert words in await rejection(room)


async def test_the_previous_report_is_the_last_completed_one_of_kind_subject_and_owner() -> None:
    room = AnOrchestrator()
    had(room, "older", at(-9_000), owner="ann")
    had(room, "wanted", at(-8_000), owner="ann")
    had(room, "failed", at(-7_000), owner="ann", status=Status.FAILED)
    had(room, "running", at(-6_000), owner="ann", status=Status.EVALUATING)
    had(room, "foreign", at(-5_000), owner="bob")
    had(room, "elsewhere", at(-4_000), owner="ann", subject="Environment 43")
    had(room, "reviews", at(-3_000), owner="ann", kind=Kind.REVIEWS)
    had(room, "later", at(3_000), owner="ann")
    plan = await room.plans(comparing("previous", owner="ann"))
    assert plan.baseline is not None
    assert plan.baseline.report_id == "wanted"


async def test_the_first_report_about_something_has_no_previous_one_and_is_served() -> None:
    plan = await AnOrchestrator().plans(comparing("previous"))
    assert (plan.baseline, plan.options.baseline) == (None, "previous")


async def test_without_a_baseline_nothing_is_looked_for() -> None:
    room = AnOrchestrator()
    had(room)
    plan = await room.plans(a_request(environment_id="42", data={"agents": AGENTS}))
    assert plan.baseline is None
    assert room.stored.baselines.stored == {}
