"""What an operator can follow of a report: one trace in a real OTLP receiver, one log line per outcome, no secrets."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

from services.standalone.ports import free_ports
from tests.requests import agents_request
from tests.single_programs import judge
from tests.stacks import Echo, Json, Stack, start, until

pytestmark = [pytest.mark.anyio, pytest.mark.any_broker]

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
EVIDENCE, KEY = "evidencemarker-q7", "sk-keymarker-q7"
STEPS = {"request", "ReportRequested", "EvaluationTask", "judge", "fold", "render"}


class Traced:
    """A stack whose spans are caught, and where its logs are."""

    def __init__(self, stack: Stack, logs: Path) -> None:
        self.stack = stack
        self.spans: list[Span] = []
        self._logs = logs

    def of(self, report_id: str) -> list[Span]:
        return [span for span in self.spans if self._report(span) == report_id]

    def lines(self) -> list[Json]:
        """Every line of every room's log; what is no JSON fails."""
        rooms = [path for path in self._logs.glob("*.log") if path.stem.partition("-")[0] in ROOMS]
        return [json.loads(line) for path in rooms for line in path.read_text("utf-8").splitlines()]

    def text(self) -> str:
        return "".join(path.read_text("utf-8", errors="replace") for path in self._logs.glob("*.log"))

    @staticmethod
    def _report(span: Span) -> str | None:
        return next((item.value.string_value for item in span.attributes if item.key == "assay.report_id"), None)


ROOMS = {"gateway", "orchestrator", "evaluator", "renderer"}


@pytest.fixture(scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    port = next(free_ports())
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
        "OPENAI_API_KEY": KEY,
    }
    async with (
        OtelTapHttpProtobufReceiver(OtelTapHttpProtobufReceiverSettings(port)) as receiver,
        judge() as address,
    ):
        stack = await start(folder, OPENAI_BASE_URL=address, **told)
        found = Traced(stack, folder / "logs")

        async def collect() -> None:
            async for span in receiver.stream_traces():
                found.spans.append(span)

        collecting = asyncio.create_task(collect())
        yield found
        assert await stack.stop() == 0
        collecting.cancel()


async def ended(traced: Traced, request: Json, **headers: str) -> str:
    """Ask for a report, wait for its end and for its last span; its id."""
    answer = await traced.stack.http.post("/reports", json=request, headers=headers)
    report_id = str(answer.json()["report_id"])
    await traced.stack.final(report_id)

    async def seen() -> bool | None:
        return {span.name for span in traced.of(report_id)} >= STEPS or None

    await until(seen, "a span of each step", 30)
    return report_id


def marked() -> Json:
    request = agents_request(3)
    for agent in request["data"]["agents"]:
        for run in agent["runs"]:
            run["output"] = f"{EVIDENCE} {run['output']}"
    return request


async def test_all_steps_of_a_report_are_in_the_trace_of_whoever_asked_also_what_is_delivered_twice(
    traced: Traced,
) -> None:
    topics = ("report.requests", "evaluation.tasks", "report.events")
    async with Echo(traced.stack, topics) as echo:
        report_id = await ended(traced, agents_request(3), **GIVEN)
        assert echo.count
    spans = traced.of(report_id)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert len([span for span in spans if span.name == "judge"]) == 4  # three agents and the overview, each asked once


async def test_a_report_that_nobody_traces_has_a_trace_of_its_own(traced: Traced) -> None:
    first, second = await ended(traced, agents_request(1)), await ended(traced, agents_request(1))
    [one], [other] = ({span.trace_id for span in traced.of(name)} for name in (first, second))
    assert one != other


async def test_every_span_of_ours_hangs_on_another_one_of_its_trace_or_on_what_it_came_with(traced: Traced) -> None:
    report_id = await ended(traced, agents_request(2), **GIVEN)
    spans = traced.of(report_id)
    known = {span.span_id for span in spans} | {bytes.fromhex("b7ad6b7169203331")}

    async def all_there() -> bool | None:
        known.update(span.span_id for span in traced.of(report_id))
        return all(span.parent_span_id in known for span in traced.of(report_id)) or None

    await until(all_there, "every parent to arrive", 30)


async def test_each_outcome_is_one_line_that_says_whose_it_is(traced: Traced) -> None:
    report_id = await ended(traced, agents_request(3), **GIVEN)
    mine = [line for line in traced.lines() if line.get("report_id") == report_id]
    outcomes = [line for line in mine if line["message"] == "part evaluated"]
    assert len(outcomes) == len({line["part_id"] for line in outcomes}) == 4
    assert {line["trace_id"] for line in mine} == {TRACE}
    assert [line["status"] for line in mine if line["message"] == "report ended"] == ["completed"]


async def test_neither_evidence_nor_keys_are_in_any_log_or_span(traced: Traced) -> None:
    await ended(traced, marked())
    await traced.stack.publish(
        "report.requests", (f'{{"type": "{EVIDENCE[:5]}", "title": "{EVIDENCE}"}}'.encode(), None)
    )
    await traced.stack.publish("evaluation.tasks", (f'{{"evidence": ["{EVIDENCE}"]}}'.encode(), None))

    async def buried() -> bool | None:
        return traced.text().count("dead letter from") >= 2 or None

    await until(buried, "both to be buried", 30)
    for secret in (EVIDENCE, KEY):
        assert secret not in traced.text()
        assert not any(secret.encode() in span.SerializeToString() for span in traced.spans)


def test_without_a_collector_nothing_of_the_sdk_is_loaded() -> None:
    program = (
        "import sys, services.evaluator.app, services.renderer.app\n"
        "from shared.chassis import traces\n"
        "traces.set_up('x', '1', '')\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
