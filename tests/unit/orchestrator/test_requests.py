"""What becomes of a request: planned once, rejected in words, refused, or repeated without effect."""

from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.orchestrator.planning import content_sha256
from shared.chassis.dead_letters import UnprocessableError
from shared.messages import AgentInput, ReportCancelled
from shared.state import Report
from shared.vocabulary import Reason, Status
from tests.builders import NOON, REPORT_ID, a_report, a_request, at
from tests.unit.orchestrator.rooms import AnOrchestrator, BrokerAwayError

NO_RUNS = {"data": {"agents": [{"agent_id": "7"}, {"agent_id": "8"}]}}
ONE_WITHOUT = {"data": {"agents": [{"agent_id": "7", "runs": [{"run_id": "1"}]}, {"agent_id": "8"}]}}


async def test_a_request_is_accepted_then_planned_then_its_tasks_are_published() -> None:
    room = AnOrchestrator()
    plan = await room.plans(a_request(title="November", metadata={"team": "blue"}))
    assert room.said == ["ReportAccepted", "ReportPlanned"]
    assert (room.accepted[0].title, room.accepted[0].metadata) == ("November", {"team": "blue"})
    assert (room.accepted[0].accepted_at, room.accepted[0].deadline_at) == (NOON, at(900))
    assert (plan.pieces, plan.rows, plan.overview, plan.deadline_at) == (2, 4, "synthesis", at(906))
    assert [task.key for task in room.tasks] == ["7", "8"]
    assert {task.deadline_at for task in room.tasks} == {at(906)}


# --- the same again


async def test_a_request_sent_twice_is_planned_once() -> None:
    room = AnOrchestrator()
    plan = await room.plans(a_request())
    room.folds(status=Status.EVALUATING)
    said, tasks = list(room.said), list(room.tasks)
    room.clock.advance(60)
    assert await room.plans(a_request()) == plan
    assert (room.said, room.tasks) == (said, tasks)
    assert len(room.stored.parts.stored) == 3


async def test_a_request_sent_again_before_its_report_is_known_says_again_what_may_be_lost() -> None:
    """Events that are lost with their topic would leave a report that is planned and that nobody ever sees."""
    room = AnOrchestrator()
    plan = await room.plans(a_request())
    tasks = list(room.tasks)
    room.clock.advance(60)
    assert await room.plans(a_request()) == plan
    assert room.said == ["ReportAccepted", "ReportPlanned"] * 2
    assert {event.accepted_at for event in room.accepted} == {NOON}
    assert room.tasks == tasks


async def test_a_request_sent_again_after_its_report_has_ended_has_no_effect() -> None:
    room = AnOrchestrator()
    await room.plans(a_request())
    room.folds(status=Status.COMPLETED)
    said = list(room.said)
    await room.plans(a_request())
    assert room.said == said


@pytest.mark.parametrize("folded", [True, False], ids=["after_the_fold", "before_the_fold"])
async def test_an_id_in_use_for_other_content_is_refused_and_the_first_report_untouched(*, folded: bool) -> None:
    room = AnOrchestrator()
    plan = await room.plans(a_request(title="first"))
    if folded:
        room.folds(status=Status.EVALUATING)
    said, tasks = list(room.said), list(room.tasks)
    with pytest.raises(UnprocessableError, match=f"report_id {REPORT_ID} is in use for a request with other content"):
        await room.handlers.on_report(a_request(title="second"))
    assert (room.said, room.tasks) == (said, tasks)
    assert room.stored.plans.stored == {REPORT_ID: plan}


async def test_other_content_is_refused_also_while_the_first_is_accepted_and_not_yet_planned() -> None:
    room = AnOrchestrator()
    room.stored.reports.put(accepted_report(title="first"))
    with pytest.raises(UnprocessableError):
        await room.handlers.on_report(a_request(title="second"))
    assert room.said == []


async def test_other_content_under_the_id_of_a_rejected_report_is_refused() -> None:
    room = AnOrchestrator()
    await room.refuses(**NO_RUNS)
    room.folds(status=Status.REJECTED)
    with pytest.raises(UnprocessableError):
        await room.handlers.on_report(a_request())
    assert room.said == ["ReportAccepted", "ReportRejected"]


async def test_a_rejected_request_sent_again_has_no_effect() -> None:
    room = AnOrchestrator()
    await room.refuses(**NO_RUNS)
    room.folds(status=Status.REJECTED)
    await room.handlers.on_report(a_request(**NO_RUNS))
    assert room.said == ["ReportAccepted", "ReportRejected"]


# --- crashes


def accepted_report(**fields: Any) -> Report:
    """What the renderer has of a report that was accepted and not planned."""
    digest = content_sha256(a_request(**fields))
    return a_report(status=Status.ACCEPTED, content_sha256=digest, accepted_at=NOON, planned_at=None)


async def test_after_a_crash_between_accepted_and_planned_the_time_of_acceptance_is_kept() -> None:
    room = AnOrchestrator()
    room.announce.breaks_at = 1
    with pytest.raises(BrokerAwayError):
        await room.handlers.on_report(a_request())
    room.folds(status=Status.ACCEPTED)
    room.stored.plans.stored.clear()
    room.stored.parts.stored.clear()
    room.clock.advance(300)
    plan = await room.plans(a_request())
    assert (plan.accepted_at, plan.planned_at, plan.deadline_at) == (NOON, at(300), at(906))
    assert plan.period.to == NOON
    assert [event.accepted_at for event in room.accepted] == [NOON, NOON]


@pytest.mark.parametrize("step", range(1, 4), ids=["planned", "no_data", "tasks"])
async def test_a_crash_while_publishing_is_made_good_from_the_stored_plan(step: int) -> None:
    room = AnOrchestrator()
    request = a_request(**ONE_WITHOUT, options={"overview": "concurrent"})
    room.announce.breaks_at = step
    with pytest.raises(BrokerAwayError):
        await room.handlers.on_report(request)
    first = room.stored.plans.stored[REPORT_ID]
    room.clock.advance(60)
    room.announce.events.clear()
    room.announce.published.clear()
    assert await room.plans(request) == first
    assert room.said == ["ReportAccepted", "ReportPlanned", "PartFailed"]
    assert [task.key for task in room.tasks] == ["overview", "7"]


async def test_of_two_orchestrators_that_plan_the_same_report_one_plan_holds_for_both() -> None:
    room, late = AnOrchestrator(), AnOrchestrator()
    room.clock.advance(1)
    await late.plans(a_request())
    plan = late.stored.plans.stored[REPORT_ID].model_copy(update={"token": "of-the-first"})
    for task in list(late.stored.tasks.stored.values()):
        room.stored.tasks.stored["of-the-first", task.number] = task
    room.announce.breaks_at = 1
    with pytest.raises(BrokerAwayError):
        await room.handlers.on_report(a_request())
    room.stored.plans.stored[REPORT_ID] = plan
    room.announce.events.clear()
    assert await room.plans(a_request()) == plan
    assert room.tasks == late.tasks


async def test_a_database_that_is_away_while_evidence_is_frozen_is_no_fault_of_the_request() -> None:
    room = AnOrchestrator()
    room.stored.tasks.away = True
    with pytest.raises(ServerSelectionTimeoutError):
        await room.handlers.on_report(a_request())
    assert room.said == ["ReportAccepted"]
    room.stored.tasks.away = False
    await room.plans(a_request())
    assert len(room.tasks) == 2


# --- rejections


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"data": {"agents": []}}, "there are no agents to judge"),
        ({"data": {"reviews": []}}, "there are no agents to judge"),
        ({"kind": "reviews", "data": {"reviews": []}}, "there are no reviews to judge"),
        (NO_RUNS, "there is nothing to judge: no runs or reviews in the period"),
        ({"agent_ids": ["9"]}, "there is nothing to judge: no runs or reviews in the period"),
        ({"agent_ids": [7, "8", "7"]}, "data: duplicate agent_id or language '7'"),
        ({"kind": "reviews", "languages": ["en", "en"]}, "data: duplicate agent_id or language 'en'"),
        ({"data": {"agents": [{"agent_id": 7}, {"agent_id": 7}]}}, "data: duplicate agent_id '7'"),
        ({"data": None}, "environment_id or data.agents is needed"),
        ({"data": None, "data_sha256": "ab"}, "the uploaded data ab is not there"),
        (
            {"options": {"coverage": "full", "baseline": REPORT_ID}},
            "options: coverage `full` is not available in this release; ",
        ),
    ],
)
async def test_a_request_that_cannot_be_served_is_rejected_in_words(fields: dict[str, Any], words: str) -> None:
    assert (await AnOrchestrator().refuses(**fields)).startswith(words)


async def test_a_row_of_the_source_that_cannot_be_read_is_a_rejection_that_names_it() -> None:
    room = AnOrchestrator()
    room.stored.sources.all_agents = [AgentInput(agent_id="7"), AgentInput(agent_id="8")]
    room.stored.sources.broken = "8"
    reason = await room.refuses(data=None, environment_id=42)
    assert reason == "document of '8': run_id: Field required"


# --- nothing to judge, cancel


async def test_an_agent_without_runs_is_a_failed_part_and_no_task() -> None:
    room = AnOrchestrator()
    await room.plans(a_request(**ONE_WITHOUT))
    assert [task.key for task in room.tasks] == ["7"]
    (failed,) = room.failures
    assert (failed.part_id, failed.reason, failed.retryable) == (f"{REPORT_ID}/agent/8", Reason.NO_DATA, False)
    assert (failed.attempts, failed.generation) == (0, 1)
    assert failed.usage.input_tokens == 0


async def test_a_cancellation_names_the_generation_it_ends() -> None:
    room = AnOrchestrator()
    await room.handlers.on_cancel(REPORT_ID)
    room.stored.reports.put(a_report(generation=3))
    await room.handlers.on_cancel(REPORT_ID)
    cancelled = [event for event in room.announce.events if isinstance(event, ReportCancelled)]
    assert [event.generation for event in cancelled] == [1, 3]
