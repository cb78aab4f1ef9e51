"""Which task calls next, how many call at once, and that whoever goes leaves nothing behind."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.lanes import Lanes
from services.evaluator.slots import Always, Clock, Slots
from shared.vocabulary import Lane

SMALL, BULK = Lane.SMALL, Lane.BULK
LANES = st.sampled_from([SMALL, BULK])


def slots_of(limit: int) -> Slots:
    return Slots(Always(limit), Clock(lambda: 0.0, asyncio.get_running_loop().call_later))


def lanes(limit: int, waiting: tuple[int, int], calling: tuple[int, int] = (0, 0)) -> Lanes:
    found = Lanes(limit)
    found.waiting = dict(zip((SMALL, BULK), waiting, strict=True))
    found.calling = dict(zip((SMALL, BULK), calling, strict=True))
    return found


@pytest.mark.parametrize(
    ("limit", "waiting", "calling", "expected"),
    [
        (10, (0, 0), (0, 0), None),
        (10, (1, 1), (0, 0), SMALL),
        (10, (1, 1), (7, 0), SMALL),
        (10, (1, 1), (8, 0), BULK),
        (10, (1, 1), (7, 3), None),
        (10, (1, 0), (9, 0), SMALL),
        (10, (0, 1), (0, 9), BULK),
        (10, (1, 0), (10, 0), None),
        (2, (1, 1), (1, 0), BULK),
        (2, (1, 1), (0, 1), SMALL),
        (1, (1, 1), (0, 0), SMALL),
    ],
)
def test_the_small_lane_goes_first_up_to_its_share_while_the_bulk_lane_waits(
    limit: int, waiting: tuple[int, int], calling: tuple[int, int], expected: Lane | None
) -> None:
    assert lanes(limit, waiting, calling).next() is expected


class Crowd:
    """Tasks that take slots and hold them until they are told to finish, on a loop that runs step by step."""

    def __init__(self, limit: int) -> None:
        self.slots = slots_of(limit)
        self.holding: list[asyncio.Event] = []
        self.begun: list[Lane] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.most = 0

    def comes(self, lane: Lane) -> asyncio.Task[None]:
        task = asyncio.create_task(self._call(lane))
        self.tasks.append(task)
        return task

    async def _call(self, lane: Lane) -> None:
        done = asyncio.Event()
        async with self.slots.taken(lane):
            self.holding.append(done)
            self.begun.append(lane)
            self.most = max(self.most, len(self.holding))
            try:
                await done.wait()
            finally:
                self.holding.remove(done)

    async def settles(self) -> None:
        """Let everything happen that can happen now."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def ends(self) -> None:
        """Let everybody finish; the pool must be as new."""
        while any(not task.done() for task in self.tasks):
            await self.settles()
            for done in list(self.holding):
                done.set()
            await self.settles()
        for task in self.tasks:
            assert task.cancelled() or task.exception() is None
        assert self.slots.lanes.waiting == {SMALL: 0, BULK: 0}
        assert self.slots.lanes.calling == {SMALL: 0, BULK: 0}


STEPS = st.lists(
    st.tuples(st.just("comes"), LANES)
    | st.tuples(st.sampled_from(["finishes", "leaves", "settles"]), st.integers(0, 30)),
    max_size=40,
)


@given(st.integers(1, 12), STEPS)
@settings(max_examples=50, deadline=None)
def test_never_more_than_the_limit_call_and_whoever_leaves_leaks_nothing(
    limit: int, steps: Sequence[tuple[str, Lane | int]]
) -> None:
    async def run() -> None:
        crowd = Crowd(limit)
        for step, which in steps:
            if isinstance(which, Lane):
                crowd.comes(which)
            elif step == "finishes" and crowd.holding:
                crowd.holding[which % len(crowd.holding)].set()
            elif step == "leaves" and crowd.tasks:
                crowd.tasks[which % len(crowd.tasks)].cancel()
            elif step == "settles":
                await crowd.settles()
                lanes_ = crowd.slots.lanes
                assert crowd.most <= limit
                assert lanes_.in_flight == len(crowd.holding)
                assert lanes_.in_flight == limit or sum(lanes_.waiting.values()) == 0
        await crowd.ends()
        assert crowd.most <= limit

    asyncio.run(run())


async def test_a_waiter_that_leaves_in_the_moment_a_slot_becomes_free_harms_nobody() -> None:
    crowd = Crowd(1)
    holder = crowd.comes(SMALL)
    await crowd.settles()
    leaver, follower = crowd.comes(SMALL), crowd.comes(SMALL)
    await crowd.settles()
    crowd.holding[0].set()
    leaver.cancel()
    await crowd.settles()
    assert holder.exception() is None
    assert not follower.done()
    await crowd.ends()
    assert crowd.begun == [SMALL, SMALL]


async def test_a_waiter_that_leaves_with_a_slot_just_given_passes_it_on() -> None:
    slots = slots_of(1)
    async with AsyncExitStack() as held:
        await held.enter_async_context(slots.taken(SMALL))
        given_ = asyncio.create_task(held_for_ever(slots))
        follower = asyncio.create_task(held_for_ever(slots))
        await asyncio.sleep(0)
    given_.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert given_.cancelled()
    assert slots.lanes.calling == {SMALL: 1, BULK: 0}
    follower.cancel()
    with pytest.raises(asyncio.CancelledError):
        await follower
    assert slots.lanes.in_flight == 0


async def held_for_ever(slots: Slots) -> None:
    async with slots.taken(SMALL):
        await asyncio.Event().wait()


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 10])
async def test_while_the_bulk_lane_waits_at_most_four_of_five_calls_are_small(limit: int) -> None:
    crowd = Crowd(limit)
    for lane in (SMALL, BULK):
        for _ in range(20 * limit):
            crowd.comes(lane)
    await crowd.settles()
    crowd.begun.clear()
    for _ in range(10):
        for done in list(crowd.holding):
            done.set()
        await crowd.settles()
        assert crowd.slots.lanes.waiting[BULK]
        assert crowd.slots.lanes.calling[SMALL] <= max(1, 0.8 * limit)
    assert 0.5 * len(crowd.begun) <= crowd.begun.count(SMALL) <= 0.8 * len(crowd.begun)
    await crowd.ends()


async def test_a_lane_is_served_in_the_order_of_arrival() -> None:
    slots, served = slots_of(1), []

    async def call(number: int) -> None:
        async with slots.taken(SMALL):
            served.append(number)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(call(number))
    assert served == [0, 1, 2, 3, 4]


async def test_a_small_task_that_comes_late_goes_before_bulk_tasks_that_wait() -> None:
    crowd = Crowd(2)
    for lane in (BULK, BULK, BULK, BULK):
        crowd.comes(lane)
    await crowd.settles()
    crowd.comes(SMALL)
    await crowd.settles()
    crowd.holding[0].set()
    await crowd.settles()
    assert crowd.begun == [BULK, BULK, SMALL]
    await crowd.ends()


async def test_a_call_that_fails_gives_its_slot_back() -> None:
    slots = slots_of(1)
    with pytest.raises(ValueError, match="no"):
        async with slots.taken(BULK):
            raise ValueError("no")
    assert slots.lanes.in_flight == 0
