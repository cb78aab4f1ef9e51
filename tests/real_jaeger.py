"""A real Jaeger on this machine, all in one and in memory: spans in by OTLP, traces out by its query API."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from services.standalone.ports import free_ports
from services.standalone.probes import answers
from shared import lifeline
from tests.stacks import until

BUILT = Path(__file__).parents[1] / ".jaeger"
LOOPBACK = "127.0.0.1"
SECOND_NANO = 1_000_000_000
BEGINNING = 1_700_000_000 * SECOND_NANO  # 14 November 2023
_PORTS = (
    "admin.http.host-port",
    "collector.grpc-server.host-port",
    "collector.http-server.host-port",
    "collector.otlp.grpc.host-port",
    "http-server.host-port",
    "processor.jaeger-binary.server-host-port",
    "processor.jaeger-compact.server-host-port",
    "processor.zipkin-compact.server-host-port",
    "query.grpc-server.host-port",
)


def missing() -> str | None:
    """Why there is no Jaeger here, in words; None if there is one."""
    return None if (BUILT / "pinned").exists() else "Jaeger is not here: make test-jaeger builds it (needs Go)"


class OtlpSpan(NamedTuple):
    """A span as OTLP has it; ids in hexadecimal, times in seconds from the beginning."""

    trace: str
    span: str
    name: str
    start: float = 0.0
    seconds: float = 0.1
    parent: str = ""
    tags: Mapping[str, str] = {}  # read only, as the whole tuple
    failed: bool = False

    @property
    def body(self) -> dict[str, Any]:
        """As JSON."""
        begins = BEGINNING + int(self.start * SECOND_NANO)
        return {
            "traceId": self.trace,
            "spanId": self.span,
            "parentSpanId": self.parent,
            "name": self.name,
            "kind": 1,
            "startTimeUnixNano": str(begins),
            "endTimeUnixNano": str(begins + int(self.seconds * SECOND_NANO)),
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in self.tags.items()],
            "status": {"code": 2 if self.failed else 1},
        }


class RealJaeger:
    """A running one: the addresses of its query API, and where it takes spans by OTLP over HTTP."""

    def __init__(self, query: str, otlp: str) -> None:
        self.query = query
        self.otlp = otlp

    async def send(self, service: str, *spans: OtlpSpan) -> None:
        """Send spans as a service would, and wait until they can be found."""
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span.body for span in spans]}]}]}
        async with httpx2.AsyncClient(trust_env=False) as client:
            (await client.post(f"{self.otlp}/v1/traces", json=body)).raise_for_status()

            async def all_are_there() -> bool | None:
                for trace in {span.trace for span in spans}:
                    answer = await client.get(f"{self.query}/api/traces/{trace}")
                    found = answer.json()["data"] if answer.is_success else []
                    if not found or len(found[0]["spans"]) < sum(span.trace == trace for span in spans):
                        return None
                return True

            await until(all_are_there, "the spans to be found", 30)


@asynccontextmanager
async def real_jaeger() -> AsyncIterator[RealJaeger]:
    """A Jaeger of its own, every port with an address of its own."""
    ports = free_ports()
    addresses = {name: f"{LOOPBACK}:{next(ports)}" for name in _PORTS}
    query, otlp = f"{LOOPBACK}:{next(ports)}", f"{LOOPBACK}:{next(ports)}"
    addresses |= {"query.http-server.host-port": query, "collector.otlp.http.host-port": otlp}
    process = await asyncio.create_subprocess_exec(
        *lifeline.command(str(BUILT / "jaeger"), *(f"--{name}={address}" for name, address in addresses.items())),
        env={"SPAN_STORAGE_TYPE": "memory", "PATH": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with httpx2.AsyncClient(trust_env=False) as client:

            async def is_ready() -> bool | None:
                is_there = await answers(f"http://{query}/api/services", client)
                return (is_there and await answers(f"tcp://{otlp}", client)) or None

            await until(is_ready, "Jaeger to answer", 60)
        yield RealJaeger(f"http://{query}", f"http://{otlp}")
    finally:
        process.kill()
        await process.wait()
