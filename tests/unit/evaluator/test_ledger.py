import asyncio
from typing import Any

import pytest

from services.evaluator.calls import Failure, Reply
from services.evaluator.claims import Done, Ended, Leased, Mine, Permission, has_ended
from shared.chassis.dead_letters import RetryLaterError
from shared.evaluations import Usage
from shared.messages import PartEvaluated
from shared.state import Standing
from shared.vocabulary import Reason, Status
from tests.builders import REPORT_ID, a_task
from tests.unit.evaluator.replies import a_reply
from tests.unit.evaluator.rooms import AnEvaluator, Answer
from tests.unit.renderer.folding import evaluated

pytestmark = pytest.mark.anyio


def an_evaluator(*script: Any, **settings: Any) -> AnEvaluator:
    """One with a lease of twenty seconds."""
    return AnEvaluator(*script, lease_seconds=20, **settings)


async def mine(room: AnEvaluator, key: str = "7") -> Mine:
    claimed = await room.ledger.claim(a_task(key))
    assert isinstance(claimed, Mine)
    return claimed


async def test_a_part_that_is_done_is_published_again_and_not_paid_for() -> None:
    room = an_evaluator(a_reply())
    first = await room.evaluated(a_task())
    again = await room.evaluated(a_task())
    assert again == first
    assert len(room.judge.asked) == 1
    assert room.counted("tasks_dropped_total", why="done") == 1


async def test_the_same_part_in_another_generation_is_another_task() -> None:
    room = an_evaluator(a_reply(), a_reply())
    await room.evaluated(a_task())
    await room.evaluated(a_task(generation=2))
    assert len(room.judge.asked) == 2


async def test_a_part_that_somebody_else_judges_waits_for_their_claim_and_holds_no_slot() -> None:
    room = an_evaluator()
    await room.another_ledger().claim(a_task())
    room.seconds = 5
    with pytest.raises(RetryLaterError) as later:
        await room.handlers.on_task(a_task())
    assert later.value.seconds == 15.5  # what is left of the lease, and half a second of jitter
    assert room.gates.in_flight == 0
    assert room.announce.events == []


async def test_another_attempt_in_the_same_process_is_somebody_else() -> None:
    room = an_evaluator()
    await mine(room)
    assert await room.ledger.claim(a_task()) == Leased(20.5)


async def test_a_claim_that_has_lapsed_is_taken_over() -> None:
    room = an_evaluator(a_reply())
    await room.another_ledger().claim(a_task())
    room.seconds = 20
    await room.evaluated(a_task())
    assert len(room.judge.asked) == 1
    assert room.counted("claims_taken_over_total") == 1


async def test_a_claim_is_kept_while_its_task_is_in_hand_and_no_longer() -> None:
    room = an_evaluator(a_reply())
    claimed = await mine(room)
    room.seconds = 15
    await room.ledger.renew()
    room.seconds = 30
    assert isinstance(await room.another_ledger().claim(a_task()), Leased)
    room.ledger.let_go(claimed.claim)
    await room.ledger.renew()
    room.seconds = 35
    assert isinstance(await room.another_ledger().claim(a_task()), Mine)


async def test_the_outcome_stored_first_is_the_one_that_everybody_publishes() -> None:
    room = an_evaluator(Answer(a_reply(), 30))
    slow = await mine(room)
    late = await room.handlers.outcome_of(a_task(), slow.claim)
    assert isinstance(late, PartEvaluated)
    other = room.another_ledger()
    quick = await other.claim(a_task())
    assert isinstance(quick, Mine)  # the slow one was silent beyond its lease
    early = late.model_copy(update={"attempts": 2})
    first = await other.settle(quick.claim, early)
    second = await room.ledger.settle(slow.claim, late)
    assert first == second == Done("PartEvaluated", early.model_dump_json())
    assert room.counted("calls_paid_twice_total") == 1


async def test_a_claim_is_not_kept_for_a_task_whose_handling_failed() -> None:
    room = an_evaluator()  # its judge has nothing to say, which is an error of the test's own making
    with pytest.raises(IndexError):
        await room.handlers.on_task(a_task())
    room.seconds = 15
    await room.ledger.renew()
    room.seconds = 20
    assert isinstance(await room.another_ledger().claim(a_task()), Mine)


async def test_two_deliveries_of_one_task_in_the_same_poll_pay_once() -> None:
    room = an_evaluator(a_reply())
    both = [asyncio.create_task(room.handlers.on_task(a_task())) for _ in range(2)]
    await asyncio.wait(both)
    assert [type(task.exception()) for task in both] == [type(None), RetryLaterError]
    assert len(room.judge.asked) == 1


async def test_what_many_bring_at_once_is_written_at_once() -> None:
    room = an_evaluator(*[Answer(a_reply(), 0)] * 20, max_concurrency="20")
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(room.handlers.on_task(a_task(str(number))))
    assert room.books.writes <= 4
    assert len(room.books.settled) == 20


async def test_a_paid_outcome_is_kept_until_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.evaluator.ledger.STORE_AGAIN_SECONDS", 0)
    room = an_evaluator(a_reply())
    claimed = await mine(room)
    outcome = await room.handlers.outcome_of(a_task(), claimed.claim)
    assert isinstance(outcome, PartEvaluated)
    room.books.away = True
    settling = asyncio.create_task(room.ledger.settle(claimed.claim, outcome))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not settling.done()
    room.books.away = False
    assert (await settling).body == outcome.model_dump_json()


async def test_a_task_that_waited_beyond_its_claim_is_claimed_anew_before_it_is_paid_for() -> None:
    """A process that was stopped for longer than its lease goes on with what it had claimed: others have it by then."""
    room = an_evaluator()
    async with room.gates.taken("gpt-4o-mini", a_task().lane):
        waiting = asyncio.create_task(room.handlers.on_task(a_task()))
        await room.somebody_waits()
        room.seconds = 20
        assert isinstance(await room.another_ledger().claim(a_task()), Mine)
        await room.ledger.renew()
    with pytest.raises(RetryLaterError):
        await waiting
    assert room.judge.asked == []


# --- reports that have ended


@pytest.mark.parametrize(
    ("standing", "ended"),
    [
        (None, False),
        (Standing(1, Status.ACCEPTED), False),
        (Standing(2, Status.EVALUATING), False),
        (Standing(1, Status.COMPLETED_WITH_ERRORS), False),  # the retry is not folded yet
        (Standing(2, Status.RENDERING), True),
        (Standing(2, Status.CANCELLED), True),
        (Standing(3, Status.EVALUATING), True),
    ],
)
def test_a_task_of_generation_two_is_over_when_its_report_has_ended_it(
    standing: Standing | None, *, ended: bool
) -> None:
    assert has_ended(2, standing) is ended


async def test_a_task_of_a_report_that_has_ended_is_acknowledged_unpaid() -> None:
    room = an_evaluator()
    room.standings[REPORT_ID] = Standing(1, Status.CANCELLED)
    await room.handlers.on_task(a_task())
    assert (room.judge.asked, room.announce.events) == ([], [])
    assert room.counted("tasks_dropped_total", why="ended") == 1
    assert await room.ledger.claim(a_task()) == Ended()


async def test_a_report_that_ends_while_its_task_waits_for_a_slot_is_not_paid_for() -> None:
    room = an_evaluator()
    async with room.gates.taken("gpt-4o-mini", a_task().lane):
        waiting = asyncio.create_task(room.handlers.on_task(a_task()))
        await room.somebody_waits()
        room.standings[REPORT_ID] = Standing(1, Status.RENDERING)
        await room.ledger.look()
    await waiting
    assert (room.judge.asked, room.announce.events) == ([], [])


# --- limits


async def test_a_task_of_a_report_at_its_limit_fails_without_a_call() -> None:
    room = an_evaluator()
    room.standings[REPORT_ID] = Standing(1, Status.EVALUATING, exhausted=True)
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts, failed.retryable) == (Reason.BUDGET_EXHAUSTED, 0, False)
    assert failed.usage == Usage()
    assert room.judge.asked == []


async def test_a_limit_reached_while_a_task_waits_for_a_slot_is_heeded() -> None:
    room = an_evaluator()
    async with room.gates.taken("gpt-4o-mini", a_task().lane):
        waiting = asyncio.create_task(room.handlers.on_task(a_task()))
        await room.somebody_waits()
        room.standings[REPORT_ID] = Standing(1, Status.EVALUATING, exhausted=True)
        await room.ledger.look()
    await waiting
    assert room.judge.asked == []
    assert [event.type for event in room.announce.events] == ["PartFailed"]


async def test_a_limit_reached_between_two_attempts_ends_the_part_and_what_it_used_is_said() -> None:
    room = an_evaluator(a_reply("{}"), a_reply())
    began = room.judge.ask

    async def reach_the_limit(*call: Any) -> Reply | Failure:
        said = await began(*call)
        room.standings[REPORT_ID] = Standing(1, Status.EVALUATING, exhausted=True)
        await room.ledger.look()
        return said

    room.judge.ask = reach_the_limit  # type: ignore[method-assign, assignment]  # the judge, and what happens meanwhile
    failed = await room.failed(a_task())
    assert (failed.reason, failed.attempts, failed.usage.input_tokens) == (Reason.BUDGET_EXHAUSTED, 1, 1_000)
    assert "the last attempt ended as invalid_output" in failed.detail


async def test_a_call_that_runs_when_the_limit_is_reached_counts() -> None:
    room = an_evaluator(a_reply())
    claimed = await mine(room)
    assert room.ledger.permission(claimed.claim) is Permission.GRANTED
    room.standings[REPORT_ID] = Standing(1, Status.EVALUATING, exhausted=True)
    await room.ledger.look()
    assert room.ledger.permission(claimed.claim) is Permission.EXHAUSTED  # another call
    await room.ledger.settle(claimed.claim, evaluated("7"))
    assert [outcome.kind for outcome in room.books.settled.values()] == ["PartEvaluated"]


# --- leaving


async def test_who_leaves_gives_back_what_has_not_begun_and_finishes_what_has() -> None:
    room = an_evaluator(a_reply())
    running, waiting = await mine(room, "7"), await mine(room, "8")
    assert room.ledger.permission(running.claim) is Permission.GRANTED
    await room.ledger.leave()
    assert isinstance(await room.another_ledger().claim(a_task("8")), Mine)
    assert isinstance(await room.another_ledger().claim(a_task("7")), Leased)
    assert room.ledger.permission(waiting.claim) is Permission.LEAVING
    assert room.ledger.permission(running.claim) is Permission.GRANTED  # its further attempts as well


async def test_what_was_given_back_is_not_renewed() -> None:
    room = an_evaluator()
    await mine(room)
    await room.ledger.leave()
    other = room.another_ledger()
    await other.claim(a_task())
    room.seconds = 15
    await room.ledger.renew()
    room.seconds = 20
    assert isinstance(await room.another_ledger().claim(a_task()), Mine)


async def test_who_leaves_claims_nothing_more() -> None:
    room = an_evaluator()
    await room.ledger.leave()
    with pytest.raises(RetryLaterError):
        await room.handlers.on_task(a_task())
    assert room.books.held == {}
