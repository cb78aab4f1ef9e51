"""The world: the rooms as processes on Apache Kafka, the embedded database and the stand-in judge, each on its own."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from services.standalone import embedded
from services.standalone.ports import free_ports
from services.standalone.probes import answers
from tests.apache_kafka import ApacheKafka
from tests.chaos.members import Member
from tests.chaos.plan import EVALUATOR, GATEWAY, ORCHESTRATOR, RENDERER
from tests.chaos.releases import ROOT, next_release
from tests.stacks import clean_environment, on_kafka, until

LOOPBACK = "127.0.0.1"
SEATS = {ORCHESTRATOR: 2, EVALUATOR: 3, RENDERER: 2, GATEWAY: 1}
LEASE_SECONDS = 15.0
ATTEMPT_SECONDS = 10.0
READY_SECONDS = 240.0
LOOK_SECONDS = 0.5
CALM = {"latency_seconds": 0.6, "refuse": ["refused"]}


class Seat:
    """A place for one process of a room. `busy` while something is done to it; `works` once it was ready."""

    def __init__(self, room: str, number: int) -> None:
        self.room = room
        self.name = f"{room}-{number}"
        self.busy = False
        self.works = False
        self.member: Member | None = None
        self.address = ""
        self.generation = 0

    @property
    def is_worth_a_blow(self) -> bool:
        """Somebody is at work here: to hit whoever has not begun proves little, and on a slow machine stops all."""
        return self.works and not self.busy and self.member is not None and self.member.runs


class World:
    """All processes; `tree` is where the release lies that processes are started from."""

    def __init__(self, folder: Path, kafka: ApacheKafka) -> None:
        self.kafka = kafka
        self.journal = folder / "journal"
        self.wounds = folder / "wounds"
        self.next_tree = next_release(folder / "next")
        self.tree = self.current_tree = ROOT
        self.complaints: list[str] = []
        self.seats = [Seat(room, number) for room, count in SEATS.items() for number in range(1, count + 1)]
        self._folder = folder
        self._ports: Iterator[int] = free_ports()
        self._database_port, self._judge_port, self._gateway_port = (next(self._ports) for _ in range(3))
        self._database: Member | None = None
        self._judge: Member | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self.mongo = f"mongodb://{LOOPBACK}:{self._database_port}/?directConnection=true"
        self.gateway = f"http://{LOOPBACK}:{self._gateway_port}"
        self.http = httpx2.AsyncClient(trust_env=False, timeout=10)

    # --- the parts that the rooms stand on

    async def start_database(self) -> None:
        """Start it on the data that is there; wait until it answers."""
        program = embedded.database(self._database_port, self._folder / "database", is_temporary=False)
        self._database = await self._start("database", program.command)
        await self._answers(f"tcp://{LOOPBACK}:{self._database_port}")

    async def kill_database(self) -> None:
        """kill -9."""
        if self._database:
            await self._database.kill()

    async def start_judge(self) -> None:
        """Start the stand-in; what it is asked goes on in the same journal."""
        words = ("--port", str(self._judge_port), "--journal", str(self.journal))
        self._judge = await self._start("judge", (sys.executable, "-m", "services.standalone.standin", *words))
        await self._answers(f"http://{LOOPBACK}:{self._judge_port}/v1/models")
        await self.behave()

    async def kill_judge(self) -> None:
        """kill -9."""
        if self._judge:
            await self._judge.kill()

    async def behave(self, **behaviour: object) -> None:
        """Tell the judge how to be; what is not said is as usual. A judge that is down hears nothing."""
        try:
            await self.http.put(f"http://{LOOPBACK}:{self._judge_port}/behaviour", json={**CALM, **behaviour})
        except httpx2.TransportError:
            return

    # --- the rooms

    async def sit(self, seat: Seat) -> None:
        """Start a process on a seat, from the release of the hour."""
        seat.generation += 1
        seat.works = False
        name = f"{seat.name}#{seat.generation}"
        port = self._gateway_port if seat.room == GATEWAY else next(self._ports)
        port_name = "GATEWAY_PORT" if seat.room == GATEWAY else "HTTP_PORT"
        told = {
            **on_kafka(self.kafka.address),
            "MONGO_URL": self.mongo,
            "OPENAI_BASE_URL": f"http://{LOOPBACK}:{self._judge_port}/v1",
            "OPENAI_API_KEY": name,  # so that the judge can tell who asks
            "LLM_MAX_CONCURRENCY": "4",
            "LLM_LEASE_SECONDS": str(LEASE_SECONDS),
            "LLM_ATTEMPT_TIMEOUT_SECONDS": str(ATTEMPT_SECONDS),
            "REPORT_LEASE_SECONDS": str(LEASE_SECONDS),
            port_name: str(port),
        }
        seat.address = f"http://{LOOPBACK}:{port}"
        seat.member = await self._start(name, (sys.executable, "-m", f"services.{seat.room}"), seat.name, **told)

    async def leave(self, seat: Seat, member: Member) -> asyncio.Task[None]:
        """Tell the process on a seat to leave, and see to it that it does."""
        listens = await answers(f"{seat.address}/healthz", self.http)

        async def left() -> None:
            if complaint := await member.leave(listens=listens):
                self.complaints.append(complaint)

        task = asyncio.create_task(left())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    async def start(self) -> None:
        """Start everything, and wait until all are ready."""
        await self.start_database()
        await self.start_judge()
        for seat in self.seats:
            await self.sit(seat)
        await self.all_ready()

    async def watch(self) -> None:
        """Until cancelled: see who works; whoever ends untold is complained about, and replaced."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for seat in self.seats:
                if seat.busy or seat.member is None:
                    continue
                if not seat.member.runs:
                    self.complaints.append(f"{seat.member.name} ended by itself: {seat.member.process.returncode}")
                    await self.sit(seat)
                elif not seat.works:
                    seat.works = await answers(f"{seat.address}/readyz", self.http)

    def at_work(self) -> set[str]:
        """The rooms in which somebody works."""
        return {seat.room for seat in self.seats if seat.is_worth_a_blow}

    async def all_ready(self) -> None:
        """Wait until every seat is taken and ready."""
        for seat in self.seats:
            await self._answers(f"{seat.address}/readyz")

    async def all_left(self) -> None:
        """Wait for those who were told to leave."""
        while self._leaving:
            await asyncio.wait([*self._leaving])

    async def end(self) -> None:
        """End all of it at once; what it was for has been read."""
        members = [seat.member for seat in self.seats]
        for member in [*members, self._judge, self._database]:
            if member is not None:
                await member.kill()
        for task in [*self._leaving]:
            task.cancel()
        await self.http.aclose()

    async def _start(self, name: str, command: tuple[str, ...], log: str = "", **told: str) -> Member:
        (self._folder / "logs").mkdir(exist_ok=True)
        path = self._folder / "logs" / f"{log or name}.log"
        return await Member.born_as(name, command, {**clean_environment(), **told}, self.tree, path)

    async def _answers(self, address: str) -> None:
        async def look() -> bool | None:
            return await answers(address, self.http) or None

        await until(look, f"{address} to answer", READY_SECONDS)


def now() -> float:
    """The time that the driver and the judge's journal share."""
    return time.time()
