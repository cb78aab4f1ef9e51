"""How a part is stored: its plan, and what became of it, laid over it when it is read."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.renderer.transitions import DEADLINE, reopened
from shared.evaluations import Part
from shared.state import Change, Report
from shared.store import Store
from shared.vocabulary import PartStatus, Reason, Role
from tests.builders import NOON, a_judged_part, a_part, a_plan, a_report, at

pytestmark = pytest.mark.anyio

RETENTION = timedelta(days=1)
NEWER = {"mood": {"of": "the judge"}}


@pytest.fixture
async def report(store: Store) -> Report:
    """A report whose plan of three agents and an overview is stored."""
    parts = (*[a_part(str(key), index=key) for key in range(3)], a_part("overview", Role.OVERVIEW, index=3))
    report = a_report(parts, status="evaluating", evaluated_at=None)
    await store.plans.store(a_plan(report_id=report.report_id), parts, NOON + RETENTION)
    return report


async def write(store: Store, change: Change) -> None:
    """Fold, deciding this."""

    def decide(found: Report | None, parts: Mapping[str, Part]) -> Change:
        del found, parts
        return change

    await store.reports.fold(change.report.report_id, [], decide, RETENTION)


async def parts_of(store: Store, report: Report) -> list[Part]:
    return [part async for part in store.parts.of_report(report.report_id)]


async def test_parts_are_read_in_order_with_what_became_of_them(store: Store, report: Report) -> None:
    judged = a_judged_part("1", index=1)
    await write(store, Change(report, (judged,)))

    found = await parts_of(store, report)
    assert [part.index for part in found] == [0, 1, 2, 3]
    assert found[1] == judged
    assert {part.status for part in found if part is not found[1]} == {PartStatus.PENDING}
    assert [part.index async for part in store.parts.of_report(report.report_id, after=0, limit=2)] == [1, 2]


async def test_a_sweep_closes_open_parts_alone_whether_they_have_a_result_or_not(store: Store, report: Report) -> None:
    judged, waiting = a_judged_part("0", index=0), a_part("1", index=1, status=PartStatus.DELAYED, attempts=2)
    await write(store, Change(report, (judged, waiting)))
    await write(store, Change(report, sweep=DEADLINE.sweep(at(900))))

    first, second, third, overview = await parts_of(store, report)
    assert first == judged
    assert {part.reason for part in (second, third, overview)} == {Reason.DEADLINE_PASSED}
    assert (second.attempts, third.finished_at) == (2, at(900))


async def test_reopening_all_opens_errored_and_cancelled_pieces_alone(store: Store, report: Report) -> None:
    judged = a_judged_part("0", index=0)
    await write(store, Change(report, (judged,)))
    await write(store, Change(report, sweep=DEADLINE.sweep(at(900))))
    await write(store, Change(report, reopen=2))

    first, second, third, overview = await parts_of(store, report)
    assert first == judged
    assert [(part.status, part.generation, part.reason) for part in (second, third)] == [
        (PartStatus.PENDING, 2, Reason.DEADLINE_PASSED)
    ] * 2
    assert overview.status is PartStatus.ERRORED


async def test_a_part_that_is_opened_again_can_be_judged_again(store: Store, report: Report) -> None:
    await write(store, Change(report, sweep=DEADLINE.sweep(at(900))))
    again = reopened((await parts_of(store, report))[0], 2)
    await write(store, Change(report, (again,)))
    assert (await parts_of(store, report))[0] == again
    judged = a_judged_part("0", index=0, generation=2)
    await write(store, Change(report, (judged,)))
    assert (await parts_of(store, report))[0] == judged


async def test_fields_that_only_a_newer_release_knows_survive_our_fold(
    store: Store, database_name: str, report: Report
) -> None:
    """Two releases run side by side during an upgrade."""
    await write(store, Change(report, (a_judged_part("0", index=0),)))
    database = store.client[database_name]
    for collection in ("reports", "parts", "results"):
        await database[collection].update_many({}, {"$set": NEWER})
    changed = report.model_copy(update={"version": 1, "title": "changed"})
    await write(store, Change(changed, (a_judged_part("0", index=0, score=1),)))

    for collection in ("reports", "parts", "results"):
        assert [document["mood"] async for document in database[collection].find({})]
        assert {str(document["mood"]) async for document in database[collection].find({})} == {str(NEWER["mood"])}
    assert await store.reports.get(report.report_id) == changed
