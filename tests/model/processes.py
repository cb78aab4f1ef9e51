"""Processes that stand still before each effect on the world, a loop whose clock is moved by hand, and how both end."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from functools import wraps
from inspect import isasyncgenfunction
from typing import Any

CURRENT: ContextVar["Process"] = ContextVar("process")
PATIENCE = 10_000  # rounds of the loop within one effect, above which something spins


class _NoFiles:
    """A selector that watches nothing and never waits."""

    def select(self, timeout: float | None) -> list[Any]:
        del timeout
        return []

    def close(self) -> None: ...


class HandMovedLoop(asyncio.BaseEventLoop):
    """An event loop on which time passes only by `advance`."""

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self._selector = _NoFiles()
        self._seconds = 0.0

    def time(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let time pass, and run whatever was waiting for it."""
        self._seconds += seconds
        self._once()
        self.settle()

    def settle(self) -> None:
        """Run until everybody waits."""
        for _ in range(PATIENCE):
            if not self._ready:
                return
            self._once()
        raise AssertionError("the loop never comes to rest")

    def _once(self) -> None:
        self.call_soon(self.stop)
        self.run_forever()

    def _process_events(self, event_list: list[Any]) -> None:
        del event_list

    def _write_to_self(self) -> None:
        """Nobody has to be woken: there is one thread."""


@dataclass(eq=False)
class Step:
    """Something that a process is about to do: it happens when it is `let`, with an argument where it asks for one."""

    process: "Process"
    what: str
    let: Callable[[Any], None]


@dataclass(eq=False)
class Process:
    """One operating-system process: when it is killed, nothing it does has an effect any more."""

    name: str
    room: str
    stage: "Stage"
    alive: bool = True
    zombie: bool = False
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    at_end: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage.processes.append(self)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin something in this process; it must not fail."""
        context = copy_context()
        context.run(CURRENT.set, self)
        self.stage.loop.create_task(work, context=context).add_done_callback(self._ended)

    def kill(self) -> None:
        """Kill -9: also what stands in a `finally` has no effect."""
        self.alive = False
        self.stage.waiting = [step for step in self.stage.waiting if step.process is not self]
        for step in self.at_end:
            step()
        for task in [*self.tasks]:
            task.cancel()
        self.stage.loop.settle()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self.alive and not task.cancelled() and (error := task.exception()):
            self.stage.trouble(f"{self.name} broke: {error!r}")


class Stage:
    """All processes, and what each is about to do."""

    def __init__(self, trouble: Callable[[str], None]) -> None:
        self.loop = HandMovedLoop()
        self.loop.set_task_factory(self._new_task)  # type: ignore[arg-type]  # the stubs want a generic one
        self.loop.set_exception_handler(lambda _, context: trouble(str(context)))
        self.processes: list[Process] = []
        self.waiting: list[Step] = []
        self.story: deque[str] = deque(maxlen=400)
        self.trouble = trouble

    def let(self, step: Step, argument: object = None) -> None:
        """Have one step happen, and run until everybody waits again."""
        self.waiting.remove(step)
        self.story.append(f"{step.process.name} {step.what}{'' if argument is None else f' = {argument}'}")
        step.let(argument)
        self.loop.settle()

    def tell(self, text: str) -> None:
        """Note what came from outside."""
        self.story.append(f"--- {text}")

    def close(self) -> None:
        """End everything without a trace."""
        for process in self.processes:
            process.alive = False
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.settle()
        self.loop.close()

    def _new_task(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, context=context)
        process = context.get(CURRENT) if context is not None else CURRENT.get(None)
        if process is not None:
            process.tasks.add(task)
            task.add_done_callback(process.tasks.discard)
        return task


async def gate(what: str) -> Any:
    """Stand before an effect until it is let happen; never, for a process that is dead."""
    process = CURRENT.get()
    if not process.alive:
        raise asyncio.CancelledError
    turn: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def let(argument: object) -> None:
        if not turn.done():
            turn.set_result(argument)

    step = Step(process, what, let)
    process.stage.waiting.append(step)
    try:
        argument = await turn
    finally:
        if step in process.stage.waiting:
            process.stage.waiting.remove(step)
    if not process.alive:
        raise asyncio.CancelledError
    return argument


class Gated:
    """A port whose every call is one effect, whole or not at all; what a query finds, it finds in one moment."""

    def __init__(self, name: str, port: object, free: tuple[str, ...] = ()) -> None:
        self._name = name
        self._port = port
        self._free = free

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name in self._free:
            return method
        what = f"{self._name}.{name}"

        @wraps(method)
        async def rows(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            await gate(what)
            for row in [row async for row in method(*args, **kwargs)]:
                yield row

        @wraps(method)
        async def effect(*args: Any, **kwargs: Any) -> Any:
            await gate(what)
            return await method(*args, **kwargs)

        return rows if isasyncgenfunction(method) else effect
