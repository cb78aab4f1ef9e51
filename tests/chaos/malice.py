"""Does to the world what the plan says, when it says so, and notes what really happened and to whom."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from tests.chaos.members import Member
from tests.chaos.plan import EVALUATOR, GATEWAY, ORCHESTRATOR, RENDERER, Blow, What
from tests.chaos.world import LOOK_SECONDS, Seat, World, now

OUTAGES = {
    What.JUDGE_ERRORS: {"rate_500": 0.7},
    What.JUDGE_LIMITS: {"rate_429": 0.7},
    What.JUDGE_SILENCE: {"rate_timeout": 0.5},
}


PAUSE_SECONDS = 0.5  # at least, between two blows
PATIENCE_SECONDS = 6.0
_CHANGES = {What.UPGRADE, What.ROLLBACK}
_BELOW_ALL = {What.BROKER_KILL, What.BROKER_FREEZE, What.DATABASE_KILL}


class Wound(NamedTuple):
    """What was done, to which process, from when to when (in seconds since 1970)."""

    what: What
    room: str
    victim: str
    began: float
    ended: float


class Malice:
    """One course of blows."""

    def __init__(self, world: World) -> None:
        self.wounds: list[Wound] = []
        self.spared = 0
        self._world = world
        self._broker_is_hit = asyncio.Lock()  # one thing at a time is done to each of these
        self._database_is_hit = asyncio.Lock()
        self._judge_is_hit = asyncio.Lock()

    async def run(self, blows: Sequence[Blow], start: float, seconds: float) -> None:
        """Deal them in their order, none before its time; one whose victim is not at work lets others go first."""
        waiting = [blow for blow in blows if blow.what not in _CHANGES]
        async with asyncio.TaskGroup() as group:
            for blow in blows:
                if blow.what in _CHANGES:
                    group.create_task(self._change_release(blow, start))
            while waiting and now() < start + seconds:
                chosen = self._chosen([blow for blow in waiting if start + blow.at <= now()], start)
                if chosen is None:
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                waiting.remove(chosen)
                group.create_task(self._deal(chosen))
                await asyncio.sleep(PAUSE_SECONDS)
        self.spared += len(waiting)

    def _chosen(self, due: Sequence[Blow], start: float) -> Blow | None:
        """The first that has a victim; none, so that all can get to work, where what they stand on waits for long."""
        for blow in due:
            if self._has_a_victim(blow):
                return blow
            if blow.what in _BELOW_ALL and now() > start + blow.at + PATIENCE_SECONDS:
                return None
        return None

    def _has_a_victim(self, blow: Blow) -> bool:
        """Of a room, somebody is at work; what all rooms stand on is hit when all rooms but the gateway work."""
        if blow.room:
            return bool(self._seats(blow))
        return self._world.at_work() >= {EVALUATOR, ORCHESTRATOR, RENDERER} or blow.what not in _BELOW_ALL

    def _seats(self, blow: Blow) -> list[Seat]:
        return [seat for seat in self._world.seats if seat.room == blow.room and seat.is_worth_a_blow]

    async def _deal(self, blow: Blow) -> None:
        match blow.what:
            case What.KILL | What.TERM | What.FREEZE:
                await self._hit_a_room(blow)
            case What.JOIN:
                await self._join(blow)
            case What.BROKER_KILL | What.BROKER_FREEZE:
                async with self._broker_is_hit:
                    await self._hit_the_broker(blow)
            case What.DATABASE_KILL:
                async with self._database_is_hit:
                    await self._hit_the_database(blow)
            case _:
                async with self._judge_is_hit:
                    await self._hit_the_judge(blow)

    async def _hit_a_room(self, blow: Blow) -> None:
        seats = self._seats(blow)
        if not seats:  # another blow was faster
            self.spared += 1
            return
        seat = seats[int(blow.pick * len(seats))]
        member = seat.member
        assert member is not None
        seat.busy = True
        try:
            began = now()
            if blow.what is What.KILL:
                await member.kill()
                await asyncio.sleep(blow.seconds)
                await self._world.sit(seat)
            elif blow.what is What.TERM:
                await self._replace(seat, member)
            else:
                member.freeze()
                await asyncio.sleep(blow.seconds)
                member.thaw()
            self.wounds.append(Wound(blow.what, blow.room, member.name, began, now()))
        finally:
            seat.busy = False

    async def _replace(self, seat: Seat, member: Member) -> None:
        """A new one comes while the old one leaves; only the gateway's address is free no sooner."""
        leaving = await self._world.leave(seat, member)
        if seat.room == GATEWAY:
            await leaving
        await self._world.sit(seat)

    async def _join(self, blow: Blow) -> None:
        """One more evaluator, for a while."""
        seat = Seat(EVALUATOR, 100 + len(self.wounds))
        await self._world.sit(seat)
        began = now()
        await asyncio.sleep(blow.seconds)
        if seat.member is not None:
            await self._world.leave(seat, seat.member)
            self.wounds.append(Wound(blow.what, blow.room, seat.member.name, began, now()))

    async def _hit_the_broker(self, blow: Blow) -> None:
        began = now()
        if blow.what is What.BROKER_KILL:
            await self._world.kafka.kill()
            await asyncio.sleep(blow.seconds)
            await self._world.kafka.start()
        else:
            self._world.kafka.freeze()
            await asyncio.sleep(blow.seconds)
            self._world.kafka.thaw()
        self.wounds.append(Wound(blow.what, "broker", "broker", began, now()))

    async def _hit_the_database(self, blow: Blow) -> None:
        began = now()
        await self._world.kill_database()
        await asyncio.sleep(blow.seconds)
        await self._world.start_database()
        self.wounds.append(Wound(blow.what, "database", "database", began, now()))

    async def _hit_the_judge(self, blow: Blow) -> None:
        began = now()
        if blow.what is What.JUDGE_KILL:
            await self._world.kill_judge()
            await asyncio.sleep(blow.seconds)
            await self._world.start_judge()
        else:
            await self._world.behave(**OUTAGES[blow.what])
            await asyncio.sleep(blow.seconds)
            await self._world.behave()
        self.wounds.append(Wound(blow.what, "judge", "judge", began, now()))

    async def _change_release(self, blow: Blow, start: float) -> None:
        """From then on processes start from the other release; every second one does so at once."""
        await asyncio.sleep(max(0.0, start + blow.at - now()))
        began = now()
        world = self._world
        world.tree = world.next_tree if blow.what is What.UPGRADE else world.current_tree
        for seat in world.seats[::2]:
            if seat.is_worth_a_blow and seat.member is not None:
                seat.busy = True
                try:
                    await self._replace(seat, seat.member)
                finally:
                    seat.busy = False
        self.wounds.append(Wound(blow.what, "all", "every second one", began, now()))
