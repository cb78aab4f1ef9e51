"""A workbook built from the real database says what was before: the report compared with, and what a retry replaced."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
from openpyxl import load_workbook

from services.orchestrator.baselines import find_baseline, freeze_baseline
from services.renderer import rendering
from services.renderer.transitions import reopened
from shared.evaluations import Part
from shared.messages import Options, ReportRequested
from shared.state import Change, Generation, Plan, Report
from shared.store import Store
from shared.vocabulary import Status
from tests.builders import a_failed_part, a_judged_part, a_plan, a_report, a_request, an_overview, at

pytestmark = pytest.mark.anyio

RETENTION = timedelta(days=1)
LATER = at(86_400)


async def fold(store: Store, change: Change) -> None:
    def decide(found: Report | None, parts: Mapping[str, Part]) -> Change:
        del found, parts
        return change

    await store.reports.fold(change.report.report_id, [part.part_id for part in change.parts], decide, RETENTION)


async def has(store: Store, plan: Plan, parts: Sequence[Part], **changes: Any) -> Report:
    """Store a report with its outcomes."""
    await store.plans.store(plan, tuple(parts), LATER)
    same = {"report_id": plan.report_id, "owner": plan.owner, "accepted_at": plan.accepted_at}
    report = a_report(parts, **{**same, "status": Status.RENDERING, **changes})
    await fold(store, Change(report, tuple(parts)))
    return report


def parts_of(report_id: str, *parts: Part) -> list[Part]:
    """The parts, as those of this report."""
    return [
        part.model_copy(
            update={"report_id": report_id, "part_id": f"{report_id}/{part.role}/{part.key}", "index": index}
        )
        for index, part in enumerate(parts)
    ]


async def rendered(store: Store, report_id: str) -> dict[str, list[list[Any]]]:
    """The sheets of the workbook, and that building it again gives the same file."""
    process = cast("Any", SimpleNamespace(store=store, drafts={}))
    first, second = [await rendering._render(process, report_id, RETENTION) for _ in range(2)]
    assert first.sha256 == second.sha256
    content = b"".join([chunk async for chunk in store.workbooks.read(first.file_id)])
    book = load_workbook(BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def wanted() -> ReportRequested:
    return a_request(report_id="new", environment_id="42", owner="ann", options={"baseline": "previous"})


async def test_the_sheet_is_made_of_the_baseline_as_it_stood_at_planning(store: Store) -> None:
    about = {"subject": "Environment 42", "owner": "ann"}
    old = parts_of("old", a_judged_part("1", 5), a_failed_part("2"), a_judged_part("3", 7), an_overview())
    then = await has(
        store,
        a_plan(report_id="old", token="old", accepted_at=at(-60), **about),
        old,
        status=Status.COMPLETED_WITH_ERRORS,
    )

    baseline = await find_baseline(store, wanted(), at(0))
    assert baseline is not None
    assert (baseline.report_id, baseline.generation) == ("old", 1)
    await freeze_baseline(store, baseline, "new", LATER)
    again = [reopened(old[1], 2)]
    await fold(store, Change(then.model_copy(update={"generation": 2}), tuple(again)))  # retried since: no matter

    new = parts_of("new", a_judged_part("1", 6), a_judged_part("2", 8), an_overview())
    options = Options(baseline="previous")
    await has(store, a_plan(report_id="new", token="new", pieces=2, options=options, baseline=baseline, **about), new)
    sheet = (await rendered(store, "new"))["Comparison"]

    found = {row[0]: row for row in sheet}
    assert found["Agent 1"][2:6] == ["improved", 5, 6, 1]
    assert found["Agent 2"][2:6] == ["failed then", "errored: timed out", 8, "—"]
    assert found["Agent 3"][2:6] == ["only then", 7, "not in it", "—"]


async def test_about_tells_the_history_of_a_retry(store: Store) -> None:
    failed, overview = parts_of("new", a_failed_part("1"), an_overview())
    report = await has(store, a_plan(report_id="new", token="new", pieces=1), [failed, overview])
    first = Generation(generation=1, status=Status.FAILED, errored=1)
    retried = report.model_copy(update={"generation": 2, "earlier": (first,), "completed": 1, "errored": 0})
    await fold(store, Change(retried, (reopened(overview, 2),), reopen=2))
    await fold(store, Change(retried, tuple(parts_of("new", a_judged_part("1", generation=2)))))

    rows = {row[1]: row[2] for row in (await rendered(store, "new"))["About"]}
    assert rows["Generation 1"] == "failed; 0 of 1 parts completed"
    assert rows["Judged again: Agent 1"] == "errored: timed out → completed"
