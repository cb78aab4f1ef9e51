"""Prints the AsyncAPI document of all rooms, made from the code that runs: `python -m services.asyncapi`."""

import json
from collections.abc import Sequence

from faststream.specification import AsyncAPI
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from services.evaluator import app as evaluator
from services.gateway import app as gateway
from services.orchestrator import app as orchestrator
from services.renderer import app as renderer
from shared.chassis.assembly import Assembly, assemble
from shared.settings import KafkaSettings
from shared.version import VERSION


def document() -> str:
    """The document as JSON text."""
    rooms = [_room(name) for name in (orchestrator.NAME, evaluator.NAME, renderer.NAME, gateway.NAME)]
    orchestrator.declare(rooms[0], _ignore)
    evaluator.declare(rooms[1], 1, _ignore, _stay)
    renderer.declare(rooms[2], _ignore_batch)
    gateway.declare(rooms[3], lambda _: None)
    specification = AsyncAPI(
        *(room.broker for room in rooms),
        title="Assay",
        version=VERSION,
        description="Many LLM evaluations over Kafka: requests in, tasks and outcomes between, statuses out.",
    ).to_specification()
    return json.dumps(json.loads(specification.to_json()), indent=2, sort_keys=True) + "\n"


def _room(name: str) -> Assembly:
    return assemble(name, KafkaSettings(bootstrap_servers="localhost:9092", _env_file=None), CollectorRegistry())


async def _stay() -> None:
    return


async def _ignore(message: BaseModel) -> None:
    del message


async def _ignore_batch(report_id: str, events: Sequence[BaseModel]) -> None:
    del report_id, events


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201  # its business
