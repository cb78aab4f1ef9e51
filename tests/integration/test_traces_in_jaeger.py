"""What an operator finds of a report in a real Jaeger."""

from pathlib import Path

import httpx2
import pytest

from tests.real_jaeger import missing, real_jaeger
from tests.requests import agents_request
from tests.stacks import Json, start, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.any_broker,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]

TRACE = "0af7651916cd43dd8448eb211c80319c"
STEPS = {"request", "ReportRequested", "EvaluationTask", "judge", "fold", "render"}
ROOMS = {"assay-gateway", "assay-orchestrator", "assay-evaluator", "assay-renderer"}


async def test_a_report_is_one_trace_through_all_rooms_and_is_found_by_its_id(tmp_path: Path) -> None:
    async with real_jaeger() as jaeger, httpx2.AsyncClient(base_url=jaeger.query, trust_env=False) as query:
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        stack = await start(tmp_path, **told)
        header = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        answer = await stack.http.post("/reports", json=agents_request(2), headers=header)
        report_id = str(answer.json()["report_id"])
        await stack.final(report_id)

        async def found() -> Json | None:
            told = {"service": "assay-evaluator", "tags": f'{{"assay.report_id":"{report_id}"}}'}
            traces: list[Json] = (await query.get("/api/traces", params=told)).json()["data"]
            complete = traces and {span["operationName"] for span in traces[0]["spans"]} >= STEPS
            return {"traces": traces} if complete else None

        [trace] = (await until(found, "a span of each step", 30))["traces"]
        assert trace["traceID"] == TRACE
        assert {process["serviceName"] for process in trace["processes"].values()} == ROOMS
        assert await stack.stop() == 0
