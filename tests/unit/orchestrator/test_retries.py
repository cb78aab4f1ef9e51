"""What becomes of a retry: its generation is used up by the parts it opens, and by nothing else."""

import pytest

from shared.chassis.dead_letters import UnprocessableError
from shared.evaluations import Part
from shared.messages import ReportCancelled, ReportPlanned, RetryRequested
from shared.vocabulary import PartStatus, Status
from tests.builders import REPORT_ID, a_request
from tests.unit.orchestrator.rooms import AnOrchestrator, BrokerAwayError

AGAIN = RetryRequested(report_id=REPORT_ID, generation=2)


def put(room: AnOrchestrator, key: str, status: PartStatus, generation: int = 1) -> None:
    """What the fold made of a part."""
    stored = room.stored.parts.stored
    (place,) = [index for index, part in enumerate(stored) if part.key == key]
    stored[place] = stored[place].model_copy(update={"status": status, "generation": generation})


async def partly_failed() -> AnOrchestrator:
    """Agent 7 was judged, agent 8 failed, the report has ended."""
    room = AnOrchestrator()
    await room.plans(a_request())
    put(room, "7", PartStatus.COMPLETED)
    put(room, "8", PartStatus.ERRORED)
    put(room, "overview", PartStatus.COMPLETED)
    room.folds(status=Status.COMPLETED_WITH_ERRORS)
    return room


def retries(room: AnOrchestrator) -> list[ReportPlanned]:
    return [event for event in room.announce.events if isinstance(event, ReportPlanned) and event.generation > 1]


def retried(room: AnOrchestrator) -> list[str]:
    return [task.key for task in room.tasks if task.generation == 2]


async def test_only_what_failed_is_judged_again() -> None:
    room = await partly_failed()
    await room.handlers.on_retry(AGAIN)
    assert len(retries(room)) == 1
    assert retried(room) == ["8"]


async def test_a_retry_that_is_folded_before_its_tasks_are_published_loses_none() -> None:
    room = await partly_failed()
    publish = room.announce.event

    async def folds_at_once(event: ReportPlanned) -> None:
        await publish(event)
        put(room, "8", PartStatus.PENDING, generation=2)
        room.folds(status=Status.EVALUATING, generation=2)

    room.announce.event = folds_at_once  # type: ignore[assignment,method-assign]  # a quick renderer
    await room.handlers.on_retry(AGAIN)
    assert retried(room) == ["8"]


@pytest.mark.parametrize("folded", [True, False], ids=["folded", "not_folded"])
async def test_a_retry_that_broke_off_is_completed(*, folded: bool) -> None:
    room = await partly_failed()
    room.announce.breaks_at = 1
    with pytest.raises(BrokerAwayError):
        await room.handlers.on_retry(AGAIN)
    if folded:
        put(room, "8", PartStatus.PENDING, generation=2)
        room.folds(status=Status.EVALUATING, generation=2)
    await room.handlers.on_retry(AGAIN)
    assert retried(room) == ["8"]


async def test_a_retry_of_nothing_is_refused_and_leaves_the_generation_to_the_next() -> None:
    room = await partly_failed()
    with pytest.raises(UnprocessableError, match="nothing to retry"):
        await room.handlers.on_retry(AGAIN.model_copy(update={"part_ids": (id_of(room, "7"),)}))
    assert retries(room) == []
    await room.handlers.on_retry(AGAIN)
    assert retried(room) == ["8"]


async def test_a_retry_sent_twice_is_published_once_it_is_known_and_again_while_it_may_be_lost() -> None:
    room = await partly_failed()
    await room.handlers.on_retry(AGAIN)
    await room.handlers.on_retry(AGAIN)
    assert len(retries(room)) == 2
    put(room, "8", PartStatus.PENDING, generation=2)
    room.folds(status=Status.EVALUATING, generation=2)
    await room.handlers.on_retry(AGAIN)
    assert len(retries(room)) == 2
    assert retried(room) == ["8"] * 2


async def test_a_cancellation_ends_a_retry_that_is_still_to_be_folded() -> None:
    room = await partly_failed()
    await room.handlers.on_retry(AGAIN)
    await room.handlers.on_cancel(REPORT_ID)
    (cancelled,) = [event for event in room.announce.events if isinstance(event, ReportCancelled)]
    assert cancelled.generation == 2


def id_of(room: AnOrchestrator, key: str) -> str:
    found: list[Part] = [part for part in room.stored.parts.stored if part.key == key]
    return found[0].part_id
