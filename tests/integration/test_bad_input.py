"""Bad input gets a clear refusal or a dead letter, and the next request is served."""

import json
from typing import Any

import pytest

from tests.requests import agents_request, reviews_request
from tests.stacks import Stack, until

pytestmark = pytest.mark.anyio


async def dead_letter(stack: Stack, topic: str, containing: str) -> dict[str, str]:
    """The headers of the dead letter whose error contains this."""
    async with stack.reading(f"{topic}.dead") as consumer:

        async def look() -> dict[str, str] | None:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    headers = {name: value.decode(errors="replace") for name, value in record.headers}
                    if containing in headers["x-error"]:
                        return headers
            return None

        return await until(look, f"a dead letter with {containing!r}", 20)


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (b"{broken", "Invalid JSON"),
        (b'{"type": "ReportRequested", "report_id": "k", "kind": "horoscope"}', "kind"),
        (b'{"type": "ReportRequested", "report_id": "\xff\xfe", "kind": "agents"}', "unreadable"),
        (b'{"type": "Unheard", "report_id": "k"}', "Unheard"),
        (b"", "unreadable"),
    ],
)
async def test_what_cannot_be_read_becomes_a_dead_letter_and_the_next_request_is_served(
    stack: Stack, record: bytes, error: str
) -> None:
    good = {"type": "ReportRequested", "report_id": f"after-{abs(hash(record))}", **agents_request(1)}

    await stack.publish("report.requests", (record, b"k"), (json.dumps(good).encode(), b"k"))
    headers = await dead_letter(stack, "report.requests", error)

    assert headers["x-origin-topic"] == stack.topic("report.requests")

    async def served() -> bool | None:
        answer = await stack.http.get(f"/reports/{good['report_id']}")
        return (answer.status_code == 200 and answer.json()["status"] == "completed") or None

    assert await until(served, "the next request to be served", 30)


async def test_unreadable_events_and_tasks_do_not_stop_their_topics(stack: Stack) -> None:
    for topic in ("report.events", "evaluation.tasks"):
        await stack.publish(topic, (f"{{broken {topic}".encode(), None))
        assert (await dead_letter(stack, topic, "Invalid JSON"))["x-origin-topic"] == stack.topic(topic)

    assert (await stack.final(await stack.post(agents_request(2))))["status"] == "completed"


ALIKE = [{"agent_id": "a", "runs": [{"run_id": "1"}]}, {"agent_id": "a", "runs": [{"run_id": "2"}]}]
REVIEW = {"review_id": "1", "language": "en", "text": "x"}
REJECTED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "agents", "data": {"agents": []}}, "no agents"),
    ({"kind": "agents"}, "environment_id or data.agents"),
    ({"kind": "agents", "environment_id": "nowhere"}, "no agents"),
    ({"kind": "agents", "data": {"agents": ALIKE}}, "duplicate agent_id"),
    ({"kind": "reviews", "data": {"reviews": [REVIEW, REVIEW]}}, "duplicate review_id"),
    (agents_request(1, criteria={"team": [{"name": "x", "weight": 0}]}), "weights are all zero"),
    (agents_request(1, criteria={"agents": {"0": [{"name": "x", "weight": -1}]}}), "negative"),
    (agents_request(2, runs=0), "no runs"),
    (agents_request(1, period={"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}), "before"),
]


@pytest.mark.parametrize(("request_", "reason"), REJECTED, ids=[reason for _, reason in REJECTED])
async def test_a_request_that_cannot_be_served_is_rejected_in_words(
    stack: Stack, request_: dict[str, Any], reason: str
) -> None:
    status = await stack.final(await stack.post(request_))

    assert status["status"] == "rejected"
    assert reason in status["reason"]
    assert status["workbook"] is None


async def test_an_id_in_use_for_other_content_never_touches_the_first_report(stack: Stack) -> None:
    first = await stack.final(await stack.post(agents_request(2, report_id="taken")))
    other = {"type": "ReportRequested", "report_id": "taken", **reviews_request(["en"])}

    by_http = await stack.http.post("/reports", json={"report_id": "taken", **reviews_request(["en"])})
    await stack.publish("report.requests", (json.dumps(other).encode(), b"taken"))
    headers = await dead_letter(stack, "report.requests", "taken is in use")

    assert by_http.status_code == 409
    assert headers["x-origin-topic"] == stack.topic("report.requests")
    assert await stack.status("taken") == first


async def test_the_same_request_again_has_no_effect(stack: Stack) -> None:
    request = agents_request(2, report_id="twice")
    first = await stack.final(await stack.post(request))
    before = (await stack.calls())["total"]

    await stack.post(request)
    await stack.publish("report.requests", *[(await _record(stack, "twice"), b"twice")] * 2)
    await stack.final(await stack.post(agents_request(1, report_id="marker")))

    assert await stack.status("twice") == first
    assert (await stack.calls())["total"] == before + 2  # the marker's agent and overview


async def _record(stack: Stack, report_id: str) -> bytes:
    """The request as it was published."""
    async with stack.reading("report.requests") as consumer:

        async def look() -> bytes | None:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    if record.key == report_id.encode():
                        return bytes(record.value)
            return None

        return await until(look, f"the request of {report_id}", 20)
