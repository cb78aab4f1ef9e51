"""Asking the gateway for something: what it answers, stores and publishes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.gateway.admission import RECORD_BYTES
from services.gateway.outbox import Outbox
from shared.messages import ReportRequested
from tests.builders import a_report
from tests.gateways import REQUEST, AGateway, problem

LARGE = {"agents": [{"agent_id": "7", "runs": [{"run_id": "1", "input": "x" * RECORD_BYTES}]}]}


async def test_a_request_is_accepted_stored_and_published() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        response = await client.post("/reports", json=REQUEST)
    assert response.status_code == 202
    assert response.headers["location"] == "http://localhost/reports/r1"
    assert response.json() == {
        "report_id": "r1",
        "generation": 1,
        "links": {
            "self": "http://localhost/reports/r1",
            "events": "http://localhost/reports/r1/events",
            "workbook": "http://localhost/reports/r1/workbook",
            "results_csv": "http://localhost/reports/r1/results.csv",
            "results_json": "http://localhost/reports/r1/results.json",
        },
    }
    assert gateway.published == [{"type": "ReportRequested", **REQUEST}]
    assert gateway.sender.sent[0].topic == "report.requests"
    assert gateway.sender.sent[0].key == "r1"
    assert gateway.sender.sent[0].message == gateway.requests.stored["r1"].body


async def test_a_request_without_an_id_gets_one() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        first = await client.post("/reports", json={"kind": "reviews", "app_id": "1"})
        second = await client.post("/reports", json={"kind": "reviews", "app_id": "1"})
    assert [first.json()["report_id"], second.json()["report_id"]] == ["new-1", "new-2"]


async def test_links_begin_with_the_public_url() -> None:
    async with AGateway(public_url="https://assay.example/api/").client() as client:
        response = await client.post("/reports", json=REQUEST)
    assert response.json()["links"]["self"] == "https://assay.example/api/reports/r1"


async def test_the_same_request_again_is_accepted_and_stays_the_first_one() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
        first = gateway.requests.stored["r1"]
        gateway.clock.advance(60)
        again = await client.post("/reports", json=dict(reversed(REQUEST.items())))
    assert again.status_code == 202
    assert gateway.requests.stored == {"r1": first}
    assert {str(outgoing.message) for outgoing in gateway.sender.sent} == {first.body}


async def test_the_same_id_for_other_content_is_a_conflict_that_publishes_nothing() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
        response = await client.post("/reports", json={**REQUEST, "title": "December"})
    assert "in use" in problem(response, 409)["detail"]
    assert len(gateway.published) == 1


async def test_the_id_of_a_report_that_came_by_kafka_is_in_use() -> None:
    gateway = AGateway()
    gateway.has()
    async with gateway.client() as client:
        problem(await client.post("/reports", json=REQUEST), 409)
    assert gateway.requests.stored == {}
    assert gateway.published == []


async def test_large_data_is_uploaded_once_and_published_by_its_hash() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        for _ in range(2):
            response = await client.post("/reports", json={**REQUEST, "data": LARGE})
            assert response.status_code == 202
    first, second = map(ReportRequested.model_validate, gateway.published)
    assert first == second
    assert first.data is None
    assert list(gateway.uploads.stored) == [first.data_sha256]


async def test_a_body_above_the_limit_is_refused_by_its_length() -> None:
    async with AGateway(max_body_bytes=2048).client() as client:
        response = await client.post("/reports", content=b"x" * 2049)
    assert "2048 bytes" in problem(response, 413)["detail"]


async def test_a_body_above_the_limit_is_refused_while_it_arrives() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1000
            yield b"x" * 1000

    async with AGateway(max_body_bytes=2048).client() as client:
        problem(await client.post("/reports", content=endless()), 413)
    assert taken == 3000


async def test_a_body_at_the_limit_is_read() -> None:
    async with AGateway(max_body_bytes=2048).client() as client:
        problem(await client.post("/reports", content=b" " * 2048), 400)


@pytest.mark.parametrize("body", [b"", b"{", b'{"kind": "\xff"}', b'{"kind": NaN}'])
async def test_what_is_not_json_is_a_bad_request(body: bytes) -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        problem(await client.post("/reports", content=body), 400)
    assert gateway.published == []


async def test_what_does_not_fit_is_told_field_by_field() -> None:
    async with AGateway().client() as client:
        response = await client.post("/reports", json={"kind": "dogs", "runs_per_agent": 0})
    assert problem(response, 422)["errors"] == [
        {"field": "kind", "message": "Input should be 'agents' or 'reviews'"},
        {"field": "runs_per_agent", "message": "Input should be greater than or equal to 1"},
    ]


async def test_a_request_survives_a_lost_broker() -> None:
    gateway = AGateway()
    gateway.sender.away = True
    outbox = an_outbox(gateway)
    async with gateway.client() as client:
        assert (await client.post("/reports", json=REQUEST)).status_code == 202
    gateway.clock.advance(6)
    await outbox.look()
    assert gateway.published == []
    gateway.sender.away = False
    await outbox.look()
    assert gateway.published == [{"type": "ReportRequested", **REQUEST}]


async def test_a_request_is_published_again_ever_more_rarely_until_the_renderer_has_it() -> None:
    gateway = AGateway()
    outbox = an_outbox(gateway)
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
    seconds = []
    for second in range(0, 100, 5):
        before = len(gateway.published)
        await outbox.look()
        seconds += [second] * (len(gateway.published) - before)
        gateway.clock.advance(5)
    assert seconds == [5, 10, 20, 40, 80]
    gateway.has()
    gateway.clock.advance(1000)
    await outbox.look()
    assert len(gateway.published) == 6
    assert gateway.requests.due == {}


async def test_a_running_report_can_be_cancelled() -> None:
    gateway = AGateway()
    gateway.has(status="evaluating", generation=2)
    async with gateway.client() as client:
        response = await client.post("/reports/r1/cancel")
    assert response.status_code == 202
    assert response.json()["generation"] == 2
    assert gateway.published == [{"type": "CancelRequested", "report_id": "r1"}]


async def test_a_report_can_be_cancelled_before_the_renderer_knows_it() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
        assert (await client.post("/reports/r1/cancel")).status_code == 202
    assert [message["type"] for message in gateway.published[1:]] == ["ReportRequested", "CancelRequested"]


async def test_failed_parts_of_a_report_that_ended_can_be_retried() -> None:
    gateway = AGateway()
    gateway.has(status="completed_with_errors", pieces=2, completed=1, errored=1, generation=3)
    async with gateway.client() as client:
        response = await client.post("/reports/r1/retry")
        some = await client.post("/reports/r1/retry", json={"part_ids": ["r1/agent/7"]})
    assert response.status_code == some.status_code == 202
    assert response.json()["generation"] == 4
    retry = {"type": "RetryRequested", "report_id": "r1", "generation": 4, "part_ids": None}
    assert gateway.published == [retry, {**retry, "part_ids": ("r1/agent/7",)}]


async def test_a_failed_overview_can_be_retried_too() -> None:
    gateway = AGateway()
    gateway.has(status="completed_with_errors", pieces=1, completed=1, overview="errored")
    async with gateway.client() as client:
        assert (await client.post("/reports/r1/retry")).status_code == 202


async def test_a_workbook_can_be_rendered_again() -> None:
    gateway = AGateway()
    gateway.has_finished()
    async with gateway.client() as client:
        assert (await client.post("/reports/r1/render")).status_code == 202
    assert gateway.published == [{"type": "RenderRequested", "report_id": "r1"}]


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("cancel", {"status": "completed"}),
        ("cancel", {"status": "rejected"}),
        ("retry", {"status": "evaluating", "pieces": 2, "errored": 1}),
        ("retry", {"status": "completed", "pieces": 2, "completed": 2}),
        ("retry", {"status": "rejected"}),
        ("render", {"status": "evaluating"}),
        ("render", {"status": "rendering"}),
        ("render", {"status": "rejected", "planned_at": None}),
        ("render", {"status": "cancelled", "planned_at": None}),
    ],
)
async def test_what_does_not_fit_the_state_is_a_conflict(action: str, state: dict[str, Any]) -> None:
    gateway = AGateway()
    gateway.reports.put(a_report(report_id="r1", **state))
    async with gateway.client() as client:
        problem(await client.post(f"/reports/r1/{action}"), 409)
    assert gateway.published == []


@pytest.mark.parametrize("action", ["retry", "render"])
async def test_a_report_that_is_only_accepted_can_be_neither_retried_nor_rendered(action: str) -> None:
    async with AGateway().client() as client:
        await client.post("/reports", json=REQUEST)
        problem(await client.post(f"/reports/r1/{action}"), 409)


async def test_a_retry_that_cannot_be_read_is_refused() -> None:
    gateway = AGateway()
    gateway.has(status="failed", pieces=1, errored=1)
    async with gateway.client() as client:
        problem(await client.post("/reports/r1/retry", content=b"{"), 400)
        problem(await client.post("/reports/r1/retry", json={"part_ids": "all"}), 422)
        problem(await client.post("/reports/r1/retry", json={"part_ids": ["x"] * 1001}), 422)


@pytest.mark.parametrize("action", ["cancel", "retry", "render"])
async def test_an_unknown_report_is_not_found(action: str) -> None:
    async with AGateway().client() as client:
        assert "'nobody'" in problem(await client.post(f"/reports/nobody/{action}"), 404)["detail"]


async def test_an_order_that_did_not_reach_the_broker_is_not_accepted() -> None:
    gateway = AGateway()
    gateway.has(status="evaluating")
    gateway.sender.away = True
    async with gateway.client() as client:
        response = await client.post("/reports/r1/cancel")
    problem(response, 503)
    assert response.headers["retry-after"] == "5"


def an_outbox(gateway: AGateway) -> Outbox:
    return Outbox(reports=gateway.reports, requests=gateway.requests, publisher=gateway.publisher, clock=gateway.clock)
