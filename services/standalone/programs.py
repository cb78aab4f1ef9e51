"""What a standalone consists of: which programs, started how, in which environment."""

import signal
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.settings import Settings

LOOPBACK = "127.0.0.1"


class Program(NamedTuple):
    """A child process: it is ready when `ready_at` (tcp:// or http://) answers.

    It starts when those it `needs` are ready. One that `forgets` loses its state when it ends, so that those who need
    it start again as well. It inherits the whole environment, or only the variables in `keeps`. One that has nothing
    to finish `ends_by` SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    ready_at: str
    environment: Mapping[str, str] = {}
    needs: tuple[str, ...] = ()
    forgets: bool = False
    keeps: frozenset[str] | None = None
    ends_by: signal.Signals = signal.SIGTERM

    def environment_from(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of the process."""
        kept = inherited if self.keeps is None else {name: inherited[name] for name in self.keeps & inherited.keys()}
        return {**kept, **self.environment}


class Embedded(NamedTuple):
    """The ports of the parts that are embedded; None where a real one is configured."""

    kafka: int | None
    mongo: int | None
    judge: int | None

    @property
    def mongo_url(self) -> str:
        """Where the embedded database is: a replica set of one, so transactions work on a direct connection."""
        return f"mongodb://{LOOPBACK}:{self.mongo}/?directConnection=true"

    @property
    def judge_url(self) -> str:
        """Where the stand-in judge is."""
        return f"http://{LOOPBACK}:{self.judge}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """What the rooms are told of the embedded parts; nothing about what is configured."""
        told: dict[str, str] = {}
        if self.kafka is not None:
            told |= {
                "KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{self.kafka}",
                "KAFKA_ASSIGNOR": "roundrobin",
                "KAFKA_IDEMPOTENCE": "false",
                "KAFKA_FETCH_MAX_WAIT_MS": "20",  # it does not wake a waiting fetch
                "KAFKA_SESSION_TIMEOUT_MS": "4000",  # half of it is what it lets a group's first member wait
                "KAFKA_HEARTBEAT_INTERVAL_MS": "500",
                "KAFKA_REQUESTS_PARTITIONS": "3",  # an empty partition costs a poll as much as a full one
                "KAFKA_TASKS_PARTITIONS": "6",
                "KAFKA_EVENTS_PARTITIONS": "3",
                "KAFKA_STATUS_PARTITIONS": "1",
            }
        if self.mongo is not None:
            told["MONGO_URL"] = self.mongo_url
        if self.judge is not None:
            told |= {"OPENAI_BASE_URL": self.judge_url, "OPENAI_API_KEY": "stand-in"}
        return told


def embedded(settings: Settings, ports: Iterator[int]) -> Embedded:
    """Ports for what is not configured. A judge that is configured, by key or by address, is never replaced."""
    return Embedded(
        kafka=None if "bootstrap_servers" in settings.kafka.model_fields_set else next(ports),
        mongo=None if "url" in settings.mongo.model_fields_set else next(ports),
        judge=None if settings.openai.model_fields_set & {"api_key", "base_url"} else next(ports),
    )


def in_words(parts: Embedded) -> str:
    """One line that says what is real and what is a stand-in."""
    judge = "as configured" if parts.judge is None else "stand-in (no model): set OPENAI_API_KEY for a real one"
    broker, database = ("as configured" if port is None else "embedded" for port in (parts.kafka, parts.mongo))
    if broker == database:
        return f"Judge: {judge}. Broker and database: {broker}."
    return f"Judge: {judge}. Broker: {broker}. Database: {database}."


def stand_in(port: int, environment: Mapping[str, str]) -> Program:
    """The stand-in judge."""
    return Program(
        name="judge",
        command=(sys.executable, "-m", "services.standalone.standin", "--port", str(port)),
        ready_at=f"http://{LOOPBACK}:{port}/v1/models",
        environment=environment,
    )


def rooms(
    evaluators: int, ports: Iterator[int], environment: Mapping[str, str], needs: tuple[str, ...]
) -> list[Program]:
    """The rooms behind the gateway, `evaluators` of one of them."""
    several = ["evaluator"] if evaluators == 1 else [f"evaluator-{number}" for number in range(1, evaluators + 1)]
    found = []
    for name in ("orchestrator", *several, "renderer"):
        port = next(ports)
        own = {**environment, "HTTP_HOST": LOOPBACK, "HTTP_PORT": str(port)}
        found.append(room(name, f"http://{LOOPBACK}:{port}", own, needs))
    return found


def room(name: str, url: str, environment: Mapping[str, str], needs: tuple[str, ...]) -> Program:
    """The room that serves its pages at `url`; a number in its name tells several of a kind apart."""
    module = f"services.{name.partition('-')[0]}"
    return Program(name, (sys.executable, "-m", module), f"{url}/readyz", environment, needs)
