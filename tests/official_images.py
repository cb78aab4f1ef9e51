"""The official Kafka and MongoDB images as containers, for whoever has a Docker engine that can pull them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from services.standalone.ports import free_ports

COMPOSE_FILE = Path(__file__).parents[1] / "docker-compose.yml"
LOOPBACK = "127.0.0.1"
LOOK_SECONDS = 20


class Servers(NamedTuple):
    """Where they are."""

    kafka: str
    mongo: str


def missing() -> str | None:
    """Why there are none here, in words; None if there are."""
    for image in (_image("kafka"), _image("mongo")):
        here = _docker("image", "inspect", image)
        if here is None:
            return "a Docker engine is needed, and none answers"
        if not here and not _docker("manifest", "inspect", image):
            return f"the image {image} is not here and cannot be pulled"
    return None


@contextmanager
def servers() -> Iterator[Servers]:
    """Both, started as docker-compose.yml does it, and ended afterwards."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415  # of no use without an engine
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415  # likewise

    kafka_port, mongo_port = (port for port, _ in zip(free_ports(), range(2), strict=False))
    told = {
        **_compose("kafka")["environment"],
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{kafka_port}",
    }
    kafka = DockerContainer(_image("kafka")).with_bind_ports(9092, kafka_port)
    for name, value in told.items():
        kafka = kafka.with_env(name, str(value))
    kafka = kafka.waiting_for(LogMessageWaitStrategy("Kafka Server started"))
    mongo = DockerContainer(_image("mongo")).with_bind_ports(27017, mongo_port)
    mongo = mongo.with_command("--replSet rs0 --bind_ip_all").waiting_for(
        LogMessageWaitStrategy("Waiting for connections")
    )
    with kafka, mongo:
        begin = "rs.initiate({_id: 'rs0', members: [{_id: 0, host: 'localhost:27017'}]})"
        code, said = mongo.exec(["mongosh", "--quiet", "--eval", begin])
        assert code == 0, said
        yield Servers(f"{LOOPBACK}:{kafka_port}", f"mongodb://{LOOPBACK}:{mongo_port}/?directConnection=true")


def _compose(service: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load(COMPOSE_FILE.read_text("utf-8"))["services"][service]
    return found


def _image(service: str) -> str:
    return str(_compose(service)["image"])


def _docker(*words: str) -> bool | None:
    """Whether the command succeeds; None where no engine answers."""
    try:
        if subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=LOOK_SECONDS).returncode:
            return None
        return not subprocess.run(["docker", *words], capture_output=True, check=False, timeout=LOOK_SECONDS).returncode
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        return False
