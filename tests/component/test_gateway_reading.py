"""Reading from the gateway: the list, the status document, the workbook; and what it says when things go wrong."""

from typing import Any

import pytest

from services.gateway.problems import Problem
from tests.builders import a_failed_part, a_judged_part, a_part, an_overview, at
from tests.gateways import REQUEST, AGateway, problem


async def test_a_report_is_accepted_until_the_renderer_knows_it() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        await client.post("/reports", json={**REQUEST, "metadata": {"team": "x"}})
        status = (await client.get("/reports/r1")).json()
        assert (status["status"], status["version"], status["progress"]) == ("accepted", 0, 0)
        assert (status["title"], status["metadata"]) == ("November", {"team": "x"})
        assert status["parts"] == []
        gateway.has(status="evaluating")
        assert (await client.get("/reports/r1")).json()["status"] == "evaluating"


async def test_the_status_document_has_the_parts() -> None:
    gateway = AGateway()
    gateway.has_finished(status="completed_with_errors")
    gateway.parts.put(
        [
            a_judged_part("7", report_id="r1", index=0),
            a_failed_part("8", report_id="r1", index=1),
            an_overview(report_id="r1", index=2),
            a_part("9"),
        ]
    )
    async with gateway.client() as client:
        document = (await client.get("/reports/r1")).json()
    judged, failed, overview = document["parts"]
    assert judged == {
        "part_id": "r1/agent/7",
        "role": "agent",
        "key": "7",
        "name": "Agent 7",
        "status": "completed",
        "score": 7.5,
        "passed": True,
        "reason": None,
        "detail": "",
        "attempts": 1,
        "seconds": 12.5,
        "usage": judged["usage"],
        "facts": judged["facts"],
        "saved": None,
        "trials": None,
        "retry_at": None,
    }
    assert (failed["status"], failed["reason"], failed["score"]) == ("errored", "timed_out", None)
    assert overview["role"] == "overview"
    assert document["parts_next"] is None
    assert document["workbook"]["href"] == "http://localhost/reports/r1/workbook"


async def test_parts_come_a_thousand_at_a_time() -> None:
    gateway = AGateway()
    gateway.has()
    gateway.parts.put([a_part(str(index), report_id="r1", index=index) for index in range(2001)])
    seen: list[str] = []
    sizes: list[int] = []
    after = -1
    async with gateway.client() as client:
        while after is not None:
            page = (await client.get("/reports/r1", params={"parts_after": after})).json()
            seen += [part["key"] for part in page["parts"]]
            sizes.append(len(page["parts"]))
            after = page["parts_next"]
    assert sizes == [1000, 1000, 1]
    assert seen == [str(index) for index in range(2001)]


async def test_the_list_is_newest_first_and_has_what_is_only_accepted() -> None:
    gateway = AGateway()
    gateway.has(report_id="old", accepted_at=at(-60))
    gateway.has(report_id="new", accepted_at=at(60))
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
        page = (await client.get("/reports")).json()
    assert [report["report_id"] for report in page["reports"]] == ["new", "r1", "old"]
    assert page["next"] is None


async def test_a_request_the_renderer_has_is_listed_once() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
        gateway.has(status="evaluating")
        page = (await client.get("/reports")).json()
    assert [report["status"] for report in page["reports"]] == ["evaluating"]


async def test_the_list_is_read_page_by_page() -> None:
    gateway = AGateway()
    for number in range(5):
        gateway.has(report_id=f"r{number}", accepted_at=at(number // 2))
    async with gateway.client() as client:
        await client.post("/reports", json={**REQUEST, "report_id": "accepted"})
        seen: list[str] = []
        params: dict[str, Any] = {"limit": 2}
        while True:
            page = (await client.get("/reports", params=params)).json()
            seen += [report["report_id"] for report in page["reports"]]
            if page["next"] is None:
                break
            params["after"] = page["next"]
    assert seen == ["r4", "r3", "r2", "r1", "r0", "accepted"]


async def test_the_list_can_be_narrowed() -> None:
    gateway = AGateway()
    gateway.has(report_id="a", kind="agents", status="evaluating")
    gateway.has(report_id="b", kind="reviews", status="completed")

    async with gateway.client() as client:
        await client.post("/reports", json={**REQUEST, "report_id": "c"})

        async def listed(**params: str) -> list[str]:
            page = (await client.get("/reports", params=params)).json()
            return [report["report_id"] for report in page["reports"]]

        assert await listed(status="completed") == ["b"]
        assert await listed(status="accepted") == ["c"]
        assert await listed(kind="agents") == ["c", "a"]
        assert await listed(kind="reviews", status="evaluating") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "status=odd", "kind=odd", "after=nobody"])
async def test_a_wrong_query_is_told_by_its_field(query: str) -> None:
    async with AGateway().client() as client:
        response = await client.get(f"/reports?{query}")
    assert problem(response, 422)["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


async def test_the_workbook_is_downloaded_under_the_reports_title() -> None:
    gateway = AGateway()
    report = gateway.has_finished(title="Agents, Überblick")
    async with gateway.client() as client:
        response = await client.get("/reports/r1/workbook")
    assert response.status_code == 200
    assert response.content == gateway.workbooks.stored["file-1"]
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["content-type"].endswith("spreadsheetml.sheet")
    assert response.headers["content-disposition"].endswith("filename*=UTF-8''Agents%2C%20%C3%9Cberblick.xlsx")
    assert report.workbook is not None
    assert response.headers["etag"] == f'"{report.workbook.sha256}"'


async def test_a_workbook_the_client_has_is_not_sent_again() -> None:
    gateway = AGateway()
    gateway.has_finished()
    async with gateway.client() as client:
        tag = (await client.get("/reports/r1/workbook")).headers["etag"]
        response = await client.get("/reports/r1/workbook", headers={"If-None-Match": f'"other", {tag}'})
    assert (response.status_code, response.content) == (304, b"")


async def test_a_workbook_that_is_not_there_yet_is_a_conflict() -> None:
    gateway = AGateway()
    async with gateway.client() as client:
        await client.post("/reports", json=REQUEST)
        assert "accepted" in problem(await client.get("/reports/r1/workbook"), 409)["detail"]
        gateway.has(status="evaluating")
        assert "evaluating" in problem(await client.get("/reports/r1/workbook"), 409)["detail"]


@pytest.mark.parametrize("path", ["/reports/nobody", "/reports/nobody/events", "/reports/nobody/workbook", "/nothing"])
async def test_what_is_not_there_is_not_found(path: str) -> None:
    async with AGateway().client() as client:
        problem(await client.get(path), 404)


async def test_another_method_is_not_allowed() -> None:
    async with AGateway().client() as client:
        response = await client.delete("/reports/r1")
    problem(response, 405)
    assert response.headers["allow"]


async def test_a_lost_database_is_said_without_its_address() -> None:
    gateway = AGateway()
    gateway.reports.away = True
    async with gateway.client() as client:
        response = await client.get("/reports/r1")
    problem(response, 503)
    assert "secret" not in response.text


async def test_a_fault_of_ours_tells_nothing_of_our_insides() -> None:
    gateway = AGateway()
    gateway.has_finished()
    gateway.workbooks.stored.clear()
    async with gateway.client() as client:
        response = await client.get("/reports/r1/workbook")
    problem(response, 500)
    assert "KeyError" not in response.text


async def test_requests_are_counted_by_route_and_never_by_path() -> None:
    gateway = AGateway()
    gateway.has()
    async with gateway.client() as client:
        await client.get("/reports/r1")
        await client.get("/reports/secret-id")
        await client.get("/some/path")
        await client.request("BREW", "/reports")
        page = (await client.get("/metrics")).text
    assert 'assay_http_requests_total{method="GET",route="/reports/{report_id}",status="200"} 1.0' in page
    assert 'assay_http_requests_total{method="GET",route="/reports/{report_id}",status="404"} 1.0' in page
    assert 'assay_http_requests_total{method="GET",route="none",status="404"} 1.0' in page
    assert 'assay_http_requests_total{method="other",' in page
    assert 'assay_http_request_seconds_count{method="GET",route="/reports/{report_id}"} 2.0' in page
    assert "secret-id" not in page


async def test_the_documentation_describes_bodies_and_problems() -> None:
    async with AGateway().client() as client:
        assert (await client.get("/docs")).status_code == 200
        document = (await client.get("/openapi.json")).json()
    post = document["paths"]["/reports"]["post"]
    reference = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schemas = document["components"]["schemas"]
    assert "environment_id" in schemas[reference.rsplit("/", maxsplit=1)[-1]]["properties"]
    assert set(schemas["Problem"]["properties"]) == set(Problem.model_fields)
    assert "Options" in schemas
    assert list(post["responses"]["4XX"]["content"]) == ["application/problem+json"]
    assert post["security"] == [{"HTTPBearer": []}]
