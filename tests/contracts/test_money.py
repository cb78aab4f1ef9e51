"""What the store keeps of money: judgements by their content, and which reports have reached their limit."""

from datetime import timedelta

import pytest

from shared.evaluations import Trials, Usage
from shared.state import Change, Standing
from shared.store import Store
from shared.vocabulary import Status
from tests.builders import NOON, a_judged_part, a_plan, a_report

pytestmark = pytest.mark.anyio

RETENTION = timedelta(days=1)


async def test_a_judgement_is_found_by_its_key_and_the_first_one_stays(store: Store) -> None:
    until = NOON + timedelta(days=36_500)
    await store.judgements.keep("a", "first", until)
    await store.judgements.keep("a", "second", until)
    await store.judgements.keep("b", "other", until)
    assert await store.judgements.find(["a", "b", "c"]) == {"a": "first", "b": "other"}


async def test_an_evaluator_reads_whether_a_report_has_reached_its_limit(store: Store) -> None:
    fine = a_report(report_id="fine", status=Status.EVALUATING)
    spent = a_report(report_id="spent", status=Status.EVALUATING, exhausted="the token limit of 9 was reached")
    for report in (fine, spent):
        await store.reports.fold(report.report_id, [], lambda *_, report=report: Change(report), RETENTION)
    assert await store.reports.standings(["fine", "spent", "unknown"]) == {
        "fine": Standing(1, Status.EVALUATING, exhausted=False),
        "spent": Standing(1, Status.EVALUATING, exhausted=True),
    }


async def test_a_part_is_read_with_what_it_saved_and_how_its_judgements_agree(store: Store) -> None:
    judged = a_judged_part("0", saved=Usage(model="m", input_tokens=9), trials=Trials(asked=3, judged=3))
    report = a_report([judged])
    await store.plans.store(a_plan(report_id=report.report_id), (judged,), NOON + RETENTION)
    await store.reports.fold(report.report_id, [judged.part_id], lambda *_: Change(report, (judged,)), RETENTION)
    assert [part async for part in store.parts.of_report(report.report_id)] == [judged]
