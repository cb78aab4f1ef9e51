"""Asks the world for reports as the plan wishes, again and again until somebody has them, and remembers promises."""

import asyncio
import json
from collections.abc import Sequence

import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.plan import Wish
from tests.chaos.releases import unheard
from tests.chaos.world import World, now
from tests.requests import Json, an_agent
from tests.stacks import FINAL

AGAIN_SECONDS = 0.5
LOOK_SECONDS = 1.0
DEADLINE_SECONDS = 120
MOST_AT_ONCE = 25  # reports that have not ended: a slow machine is not buried
UNHEARD_EVERY = 8  # reports


class Load:
    """One course of wishes. `promised` has, by report, the generation that it must end in or above."""

    def __init__(self, world: World, producer: AIOKafkaProducer) -> None:
        self.promised: dict[str, int] = {}
        self.sent = 0
        self.unheard = 0
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._world = world
        self._producer = producer

    async def run(self, wishes: Sequence[Wish], start: float, seconds: float) -> None:
        """See to the wishes until the time is up; returns when the last of their reports has ended."""
        async with asyncio.TaskGroup() as group:
            for number, wish in enumerate(wishes):
                await asyncio.sleep(max(0.0, start + wish.at - now()))
                await self._room.acquire()
                if now() > start + seconds:
                    return
                group.create_task(self._see_to(wish)).add_done_callback(lambda _: self._room.release())
                if number % UNHEARD_EVERY == UNHEARD_EVERY // 2:
                    group.create_task(self._say_unheard(wish))

    async def _see_to(self, wish: Wish) -> None:
        request = request_of(wish)
        await self._ask(wish, request)
        self.promised[wish.report_id] = 1
        async with asyncio.TaskGroup() as group:
            if wish.again_after is not None:
                group.create_task(self._ask_again(wish, request, wish.again_after))
            if wish.cancel_after is not None:
                group.create_task(self._cancel(wish, wish.cancel_after))
            group.create_task(self._after_the_end(wish))

    async def _ask(self, wish: Wish, request: Json) -> None:
        """The same request until it is taken: whoever got no answer cannot know whether it was."""
        while True:
            if wish.by_http:
                if await self._post("/reports", request) == 202:
                    return
            elif await self._publish("report.requests", wish.report_id, {"type": "ReportRequested", **request}):
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def _ask_again(self, wish: Wish, request: Json, after: float) -> None:
        await asyncio.sleep(after)
        await self._ask(wish, request)

    async def _cancel(self, wish: Wish, after: float) -> None:
        """By the way the report came, once: a cancellation that is lost with its gateway was not promised."""
        await asyncio.sleep(after)
        if wish.by_http:
            await self._post(f"/reports/{wish.report_id}/cancel")
        else:
            order = {"type": "CancelRequested", "report_id": wish.report_id}
            await self._publish("report.requests", wish.report_id, order)

    async def _after_the_end(self, wish: Wish) -> None:
        """Failed parts are tried again, and workbooks built again, where the gateway takes the order."""
        status = await self._final(wish)
        if wish.retry and status["status"] in {"completed_with_errors", "failed", "cancelled"}:
            generation = status["generation"] + 1
            if await self._post(f"/reports/{wish.report_id}/retry") == 202:
                self.promised[wish.report_id] = generation
        elif wish.render:
            await self._post(f"/reports/{wish.report_id}/render")

    async def _final(self, wish: Wish) -> Json:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                answer = await self._world.http.get(f"{self._world.gateway}/reports/{wish.report_id}")
            except httpx2.TransportError:
                continue
            if answer.status_code == 200 and answer.json()["status"] in FINAL:
                status: Json = answer.json()
                return status

    async def _post(self, path: str, body: Json | None = None) -> int:
        self.sent += 1
        try:
            return (await self._world.http.post(f"{self._world.gateway}{path}", json=body)).status_code
        except httpx2.TransportError:
            return 0

    async def _publish(self, topic: str, key: str, message: Json) -> bool:
        self.sent += 1
        try:
            await self._producer.send_and_wait(topic, json.dumps(message).encode(), key=key.encode())
        except KafkaError:
            return False
        return True

    async def _say_unheard(self, wish: Wish) -> None:
        """As a newer release would that knows more kinds of messages."""
        for topic in ("report.events", "report.requests", "evaluation.tasks"):
            self.unheard += await self._publish(topic, wish.report_id, unheard(wish))


def request_of(wish: Wish) -> Json:
    """The request; its goal names the report, so that the judge's journal does."""
    fields: Json = {
        "report_id": wish.report_id,
        "kind": wish.kind,
        "criteria": {"goal": wish.report_id},
        "options": {
            "overview": wish.overview,
            "fail_fast": wish.fail_fast,
            "deadline_seconds": DEADLINE_SECONDS,
            "eval_timeout_seconds": 30,
        },
    }
    keys = ["refused" if number < wish.refused else f"k{number}" for number in range(wish.pieces)]
    if wish.kind == "agents":
        agents = [{**an_agent(number, 2), "agent_id": key} for number, key in enumerate(keys)]
        return {**fields, "data": {"agents": agents}}
    reviews = [
        {"review_id": f"{key}-{number}", "language": key, "text": f"Text {number}", "rating": 1 + number % 5}
        for key in keys
        for number in range(2)
    ]
    return {**fields, "data": {"reviews": reviews}}
