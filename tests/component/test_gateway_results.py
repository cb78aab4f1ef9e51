"""What the gateway hands out of a report: its workbooks by generation, and the same results for programs."""

import csv
import io
import json
from typing import Any

import pytest

from services.gateway.exports import ResultDocument
from shared.evaluations import Part, Spread, Trials
from shared.state import Generation, StoredWorkbook
from shared.vocabulary import PartStatus, Reason, Role, Status
from tests.builders import REPORT_ID, a_failed_part, a_judged_language, a_judged_part, a_plan, an_overview, at
from tests.gateways import KEYS, AGateway, problem

OLD = StoredWorkbook(file_id="file-0", sha256="00" * 32, bytes=3, generation=1)
FIRST = Generation(
    generation=1,
    status=Status.COMPLETED_WITH_ERRORS,
    pieces=2,
    completed=1,
    errored=1,
    workbook=OLD,
    completed_at=at(60),
)


def a_gateway(*parts: Part, **changes: Any) -> AGateway:
    """A gateway with a finished report of these parts."""
    gateway = AGateway()
    gateway.plans.stored[REPORT_ID] = a_plan()
    gateway.parts.put(parts)
    gateway.has_finished(**{"report_id": REPORT_ID, "pieces": len(parts), "completed": len(parts), **changes})
    return gateway


def a_retried_gateway(**changes: Any) -> AGateway:
    """The same in its second generation, with the first one's workbook."""
    gateway = a_gateway(a_judged_part("7", index=0))
    latest = gateway.reports.stored[REPORT_ID].workbook
    assert latest is not None
    of_second = latest.model_copy(update={"generation": 2})
    second = {"generation": 2, "earlier": (FIRST,), "workbook": of_second, **changes}
    gateway.reports.put(gateway.reports.stored[REPORT_ID].model_copy(update=second))
    gateway.workbooks.stored["file-0"] = b"old"
    return gateway


async def got(gateway: AGateway, path: str, status: int = 200) -> str:
    async with gateway.client() as client:
        response = await client.get(f"/reports/{REPORT_ID}/{path}")
    assert response.status_code == status, response.text
    return response.text


async def table(gateway: AGateway) -> list[dict[str, str]]:
    text = await got(gateway, "results.csv")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_the_table_has_a_row_per_part_and_criterion() -> None:
    rows = await table(a_gateway(a_judged_part("7", 6.5, index=0), an_overview(index=1)))
    assert [(row["key"], row["criterion"], row["score"], row["passed"]) for row in rows] == [
        ("7", "accuracy", "6.5", "false"),
        ("7", "reliability", "6.5", "false"),
        ("7", "efficiency", "6.5", "true"),
        ("overview", "effectiveness", "7.2", "true"),
        ("overview", "coordination", "7.2", "true"),
    ]
    assert {row["report_id"] for row in rows} == {REPORT_ID}


async def test_a_language_has_one_row() -> None:
    (row,) = await table(a_gateway(a_judged_language("de")))
    assert (row["key"], row["criterion"], row["sentiment"]) == ("de", "", "mixed")
    assert row["reasoning"] == "Users like the search and miss a dark mode."


async def test_a_failed_part_has_its_rows_with_its_reason_and_without_a_score() -> None:
    left_over = a_judged_part("8").evaluation
    rows = await table(a_gateway(a_failed_part("8", evaluation=left_over, score=3.0)))
    assert len(rows) == 3
    for row in rows:
        assert (row["status"], row["reason"]) == ("errored", "timed_out")
        assert (row["score"], row["part_score"], row["passed"], row["part_passed"]) == ("", "", "", "")
        assert row["detail"]
        assert row["what_to_do"] == Reason.TIMED_OUT.what_to_do


async def test_no_text_of_the_table_is_a_formula() -> None:
    (row,) = await table(a_gateway(a_failed_part("=1+1", role=Role.LANGUAGE, name="@SUM(A1)", detail="-2\x00")))
    assert (row["key"], row["name"], row["detail"]) == ("'=1+1", "'@SUM(A1)", "'-2\N{REPLACEMENT CHARACTER}")


async def test_the_document_is_what_its_schema_says_and_names_what_failed() -> None:
    gateway = a_gateway(
        a_judged_part("7", index=0), a_failed_part("8", score=3.0, index=1), status=Status.COMPLETED_WITH_ERRORS
    )
    document = ResultDocument.model_validate_json(await got(gateway, "results.json"))
    assert (document.status, document.generation, document.options.judge_model) == (
        "completed_with_errors",
        1,
        "gpt-4o-mini",
    )
    judged, failed = document.parts
    assert (judged.score, judged.evaluation) == (7.5, a_judged_part("7").evaluation)
    assert (failed.status, failed.score, failed.evaluation) == (PartStatus.ERRORED, None, None)
    assert failed.what_to_do == Reason.TIMED_OUT.what_to_do


async def test_a_report_without_parts_is_a_document_all_the_same() -> None:
    assert json.loads(await got(a_gateway(), "results.json"))["parts"] == []


@pytest.mark.parametrize("path", ["workbook", "results.csv", "results.json"])
async def test_what_has_no_workbook_has_no_results_yet(path: str) -> None:
    gateway = AGateway()
    gateway.has(report_id=REPORT_ID, status="evaluating")
    assert "evaluating" in json.loads(await got(gateway, path, 409))["detail"]


@pytest.mark.parametrize("path", ["workbook", "results.csv", "results.json"])
async def test_results_are_shown_to_their_owner_alone(path: str) -> None:
    gateway = AGateway(keys=KEYS)
    gateway.plans.stored["r1"] = a_plan(report_id="r1")
    gateway.has_finished(owner="ann")
    async with gateway.client("key-of-bob") as client:
        problem(await client.get(f"/reports/r1/{path}"), 404)
    async with gateway.client("key-of-ann") as client:
        assert (await client.get(f"/reports/r1/{path}")).status_code == 200


async def test_the_latest_workbook_is_the_default_and_earlier_ones_are_kept() -> None:
    gateway = a_retried_gateway()
    latest = await got(gateway, "workbook")
    assert latest == await got(gateway, "workbook?generation=2")
    assert await got(gateway, "workbook?generation=1") == "old" != latest


async def test_while_a_retry_runs_the_workbook_before_it_is_the_default() -> None:
    gateway = a_retried_gateway(status=Status.EVALUATING, workbook=OLD)
    assert await got(gateway, "workbook") == "old"
    assert "evaluating" in json.loads(await got(gateway, "workbook?generation=2", 409))["detail"]


@pytest.mark.parametrize("path", ["workbook", "results.csv", "results.json"])
async def test_a_generation_without_a_workbook_is_not_found(path: str) -> None:
    assert "generation 3" in json.loads(await got(a_retried_gateway(), f"{path}?generation=3", 404))["detail"]
    bare = FIRST.model_copy(update={"workbook": None})
    await got(a_retried_gateway(earlier=(bare,)), f"{path}?generation=1", 404)
    await got(a_retried_gateway(), f"{path}?generation=0", 422)


async def test_the_document_of_an_earlier_generation_says_how_that_one_ended() -> None:
    document = json.loads(await got(a_retried_gateway(), "results.json?generation=1"))
    assert (document["generation"], document["status"], document["errored"]) == (1, "completed_with_errors", 1)


async def test_the_status_document_lists_the_generations_with_their_workbooks() -> None:
    async with a_retried_gateway().client() as client:
        first, second = (await client.get(f"/reports/{REPORT_ID}")).json()["generations"]
    assert (first["status"], first["errored"]) == ("completed_with_errors", 1)
    assert (second["generation"], second["status"]) == (2, "completed")
    assert first["workbook"]["href"].endswith(f"/reports/{REPORT_ID}/workbook?generation=1")


async def test_the_documentation_describes_both_siblings() -> None:
    async with AGateway().client() as client:
        document = (await client.get("/openapi.json")).json()
    place = "/reports/{report_id}/results"
    answers = {form: document["paths"][f"{place}.{form}"]["get"]["responses"]["200"] for form in ("json", "csv")}
    schema = answers["json"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", maxsplit=1)[-1]
    assert set(document["components"]["schemas"][schema]["properties"]) == set(ResultDocument.model_fields)
    assert answers["csv"]["content"]["text/csv"]["example"].startswith('"report_id","role","key"')
    (number,) = [each for each in document["paths"][f"{place}.csv"]["get"]["parameters"] if each["in"] == "query"]
    assert number["name"] == "generation"


async def test_the_spread_of_several_judgements_stands_in_the_table() -> None:
    spread = Spread(name="accuracy", judged=2, mean=6.5, deviation=0.25)
    rows = await table(a_gateway(a_judged_part("7", 6.5, trials=Trials(asked=3, judged=2, criteria=(spread,)))))
    assert [(row["trials"], row["trials_judged"], row["score_deviation"]) for row in rows] == [
        ("3", "2", "0.25"),
        ("3", "2", ""),
        ("3", "2", ""),
    ]
