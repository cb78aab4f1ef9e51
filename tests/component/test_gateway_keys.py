"""Who is let in by the gateway, and what they see."""

import pytest

from tests.gateways import KEYS, REQUEST, ROOT, AGateway, problem

CALLS = [
    ("GET", "/reports/r1"),
    ("GET", "/reports/r1/events"),
    ("GET", "/reports/r1/workbook"),
    ("POST", "/reports/r1/cancel"),
    ("POST", "/reports/r1/retry"),
    ("POST", "/reports/r1/render"),
]


@pytest.mark.parametrize(("method", "path"), [("GET", "/reports"), ("POST", "/reports"), *CALLS])
@pytest.mark.parametrize("key", [None, "wrong"])
async def test_without_a_known_key_nothing_is_served(method: str, path: str, key: str | None) -> None:
    async with AGateway(keys=KEYS).client(key) as client:
        response = await client.request(method, path)
    problem(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_body_is_not_read_before_the_key() -> None:
    async with AGateway(keys=KEYS, max_body_bytes=1024).client("wrong") as client:
        problem(await client.post("/reports", content=b"x" * 2000), 401)


async def test_the_name_of_the_key_owns_the_report() -> None:
    gateway = AGateway(keys=KEYS)
    async with gateway.client("key-of-ann") as client:
        await client.post("/reports", json={**REQUEST, "owner": "bob"})
        assert (await client.get("/reports/r1")).json()["owner"] == "ann"
    assert gateway.published[0]["owner"] == "ann"


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("owner", ["ann", None])
async def test_the_reports_of_others_are_not_found(method: str, path: str, owner: str | None) -> None:
    gateway = AGateway(keys=KEYS)
    gateway.has_finished(owner=owner)
    async with gateway.client("key-of-bob") as client:
        problem(await client.request(method, path), 404)


async def test_an_accepted_request_of_another_is_not_found() -> None:
    gateway = AGateway(keys=KEYS)
    async with gateway.client("key-of-ann") as client:
        await client.post("/reports", json=REQUEST)
    async with gateway.client("key-of-bob") as client:
        problem(await client.get("/reports/r1"), 404)
        assert (await client.get("/reports")).json()["reports"] == []
        problem(await client.get("/reports?after=r1"), 422)


async def test_the_same_content_from_another_owner_is_a_conflict() -> None:
    gateway = AGateway(keys=KEYS)
    async with gateway.client("key-of-ann") as client:
        await client.post("/reports", json=REQUEST)
    async with gateway.client("key-of-bob") as client:
        problem(await client.post("/reports", json=REQUEST), 409)


async def test_the_list_has_ones_own_reports_and_an_admins_has_all() -> None:
    gateway = AGateway(keys=f"{KEYS},{ROOT}")
    for name in ("ann", "bob", None):
        gateway.has(report_id=f"of-{name}", owner=name)

    async def listed(key: str) -> set[str]:
        async with gateway.client(key) as client:
            return {report["report_id"] for report in (await client.get("/reports")).json()["reports"]}

    assert await listed("key-of-ann") == {"of-ann"}
    assert await listed("key-of-root") == {"of-ann", "of-bob", "of-None"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
async def test_health_metrics_and_documentation_need_no_key(path: str) -> None:
    async with AGateway(keys=KEYS).client() as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080"])
async def test_without_keys_this_machine_is_served(host: str) -> None:
    async with AGateway().client(host=host) as client:
        assert (await client.get("/reports")).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1:8080", "[::2]"])
async def test_without_keys_a_name_that_was_rebound_to_this_machine_is_refused(host: str) -> None:
    async with AGateway().client(host=host) as client:
        problem(await client.get("/reports"), 403)
        problem(await client.get("/metrics"), 403)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", ""])
async def test_without_keys_a_page_from_elsewhere_may_not_ask(origin: str) -> None:
    gateway = AGateway()
    gateway.has(status="evaluating")
    async with gateway.client() as client:
        problem(await client.post("/reports/r1/cancel", headers={"Origin": origin}), 403)
        response = await client.post("/reports/r1/cancel", headers={"Origin": "http://localhost:8501"})
    assert response.status_code == 202


async def test_with_keys_any_host_name_is_served() -> None:
    async with AGateway(keys=KEYS, host="0.0.0.0").client("key-of-ann", host="assay.example") as client:
        assert (await client.get("/reports")).status_code == 200
