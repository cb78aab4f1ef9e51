"""The supervisor keeps a standalone's children running, and ends all of them."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from services.standalone import embedded, supervisor
from services.standalone.data_directory import DirectoryInUseError, held
from services.standalone.ports import free_ports, is_free
from services.standalone.probes import answers
from services.standalone.programs import Program
from services.standalone.restarts import RestartPolicy
from services.standalone.supervisor import ProgramFailedError, Supervisor
from shared.settings import inherited_environment

SCRIPT = Path(__file__).with_name("pretend_room.py")
HASTY = RestartPolicy(most=2, first_pause_seconds=0.01, longest_pause_seconds=0.01)


class Entry(NamedTuple):
    """A line of the journal."""

    event: str
    name: str
    pid: int


class Stage:
    """Pretended programs, and the journal they write."""

    def __init__(self, directory: Path) -> None:
        self.journal = directory / "journal"
        self.logs = directory
        self._ports = free_ports()

    def program(self, name: str, *traits: str, needs: tuple[str, ...] = (), forgets: bool = False) -> Program:
        port = next(self._ports)
        command = (sys.executable, str(SCRIPT), str(port), name, str(self.journal), *traits)
        return Program(name, command, f"http://127.0.0.1:{port}/readyz", needs=needs, forgets=forgets)

    def entries(self) -> list[Entry]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [Entry(event, name, int(pid)) for event, name, pid in map(str.split, lines)]

    def starts(self, name: str) -> list[int]:
        return [entry.pid for entry in self.entries() if entry[:2] == ("started", name)]

    def told(self) -> list[str]:
        return [entry.name for entry in self.entries() if entry.event == "told"]

    def play(self, body: Callable[[], Awaitable[None]], *programs: Program) -> None:
        async def main() -> None:
            await Supervisor(programs, self.logs, inherited_environment(), time.monotonic, HASTY).while_running(body)

        asyncio.run(main())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # other processes set no event
            await asyncio.sleep(0.01)


async def nothing() -> None:
    """A body that is done at once."""


async def for_ever() -> None:
    await asyncio.Event().wait()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_all_are_ready_before_the_body_runs_and_gone_after_it(stage: Stage) -> None:
    programs = [stage.program("database"), stage.program("gateway", needs=("database",))]

    async def body() -> None:
        async with httpx2.AsyncClient() as client:
            assert [await answers(program.ready_at, client) for program in programs] == [True, True]

    stage.play(body, *programs)
    assert [entry.name for entry in stage.entries() if entry.event == "started"] == ["database", "gateway"]
    assert not [entry for entry in stage.entries() if is_running(entry.pid)]


def test_those_that_nobody_needs_end_first(stage: Stage) -> None:
    needs = ("broker", "database")
    rooms = [stage.program(name, needs=needs) for name in ("evaluator", "gateway")]
    stage.play(nothing, stage.program("broker"), stage.program("database"), *rooms)
    assert set(stage.told()[:2]) == {"evaluator", "gateway"}
    assert stage.told()[2:] == ["database", "broker"]


def test_a_child_that_is_killed_is_started_again(stage: Stage) -> None:
    async def body() -> None:
        os.kill(stage.starts("evaluator")[0], signal.SIGKILL)
        await until(lambda: len(stage.starts("evaluator")) == 2)

    stage.play(body, stage.program("evaluator"), stage.program("gateway"))
    assert len(stage.starts("gateway")) == 1


def test_when_one_dies_that_forgets_those_who_need_it_start_again_too(stage: Stage) -> None:
    async def body() -> None:
        os.kill(stage.starts("broker")[0], signal.SIGKILL)
        await until(lambda: len(stage.starts("broker")) == len(stage.starts("gateway")) == 2)

    broker = stage.program("broker", forgets=True)
    stage.play(body, broker, stage.program("database"), stage.program("gateway", needs=("broker",)))
    assert len(stage.starts("database")) == 1
    again = [entry.name for entry in stage.entries() if entry.event == "started"][3:]
    assert again == ["broker", "gateway"]


def test_when_one_dies_that_remembers_the_others_stay(stage: Stage) -> None:
    async def body() -> None:
        os.kill(stage.starts("database")[0], signal.SIGKILL)
        await until(lambda: len(stage.starts("database")) == 2)

    stage.play(body, stage.program("database"), stage.program("gateway", needs=("database",)))
    assert len(stage.starts("gateway")) == 1


def test_a_child_that_dies_again_and_again_ends_all_and_its_last_word_is_shown(stage: Stage) -> None:
    with pytest.raises(ProgramFailedError, match=r"evaluator ended again and again(.|\n)*the last word"):
        stage.play(for_ever, stage.program("gateway"), stage.program("evaluator", "dies"))
    assert len(stage.starts("evaluator")) == 3
    assert stage.told() == ["gateway"]


def test_a_child_that_does_not_end_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ENDS_WITHIN_SECONDS", 0.2)
    stage.play(nothing, stage.program("gateway", "stubborn"))
    assert stage.told() == ["gateway"]
    assert not is_running(stage.starts("gateway")[0])


def test_an_error_of_the_body_comes_out_as_it_is_and_all_end(stage: Stage) -> None:
    async def body() -> None:
        raise LookupError("of the body")

    with pytest.raises(LookupError, match="of the body"):
        stage.play(body, stage.program("gateway"))
    assert stage.told() == ["gateway"]


def test_the_embedded_broker_and_database_start_and_end(tmp_path: Path) -> None:
    ports = free_ports()
    programs = [
        embedded.broker(next(ports)),
        embedded.database(next(ports), tmp_path / "database", is_temporary=True),
    ]

    async def main() -> None:
        await Supervisor(programs, tmp_path, inherited_environment(), time.monotonic).while_running(nothing)

    asyncio.run(main())
    taken = [int(program.ready_at.rpartition(":")[2]) for program in programs]
    assert all(is_free("127.0.0.1", port) for port in taken)


def test_a_data_directory_has_one_holder(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(DirectoryInUseError, match=str(os.getpid())), held(tmp_path):
        pass
    with held(tmp_path):
        pass


def test_a_temporary_data_directory_is_gone_afterwards() -> None:
    with held(None) as directory:
        (directory.logs / "gateway.log").write_text("hello")
    assert not directory.path.exists()


def test_ports_are_given_once() -> None:
    ports = free_ports()
    assert len({next(ports) for _ in range(50)}) == 50
