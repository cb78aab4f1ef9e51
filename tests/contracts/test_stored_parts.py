"""How a part is stored: its plan, and what became of it, laid over it when it is read."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.renderer.transitions import DEADLINE, reopened
from shared.evaluations import Part
from shared.state import Change, EarlierResult, Report
from shared.store import Store
from shared.vocabulary import PartStatus, Reason, Role
from tests.builders import NOON, a_failed_part, a_judged_part, a_part, a_plan, a_report, an_overview, at

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

    await store.reports.fold(change.report.report_id, [part.part_id for part in change.parts], decide, RETENTION)


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


async def as_of(store: Store, report: Report, generation: int) -> list[Part]:
    return [part async for part in store.parts.as_of(report.report_id, generation)]


async def test_what_a_retry_replaces_is_kept_and_read_as_of_its_generation(store: Store, report: Report) -> None:
    failed = a_failed_part("0", index=0)
    overview = an_overview(index=3)
    await write(store, Change(report, (failed, a_judged_part("1", index=1), a_judged_part("2", index=2), overview)))
    before = await parts_of(store, report)

    await write(store, Change(report, (reopened(overview, 2),), reopen=2))
    assert await as_of(store, report, 1) == before
    again = an_overview(index=3, generation=2, attempts=2)
    await write(store, Change(report, (a_judged_part("0", index=0, generation=2), again)))

    assert await as_of(store, report, 1) == before
    assert await as_of(store, report, 2) == await parts_of(store, report)
    assert [result async for result in store.parts.earlier(report.report_id)] == [
        EarlierResult(failed.part_id, 1, PartStatus.ERRORED, Reason.TIMED_OUT),
        EarlierResult(overview.part_id, 1, PartStatus.COMPLETED, None),
    ]


async def test_every_generation_of_a_part_can_be_read(store: Store, report: Report) -> None:
    for generation in (1, 2, 3):
        failed = a_failed_part("0", Reason.REFUSED, index=0, generation=generation, attempts=generation)
        await write(store, Change(report, (failed,)))
        if generation > 1:
            await write(store, Change(report, reopen=generation + 1))
        else:
            await write(store, Change(report, (reopened(failed, 2),)))

    attempts = [(await as_of(store, report, generation))[0].attempts for generation in (1, 2, 3)]
    assert attempts == [1, 2, 3]


async def test_a_retry_and_its_outcome_in_one_batch_keep_what_was_before(store: Store, report: Report) -> None:
    failed = a_failed_part("0", index=0)
    await write(store, Change(report, (failed,)))
    await write(store, Change(report, (a_judged_part("0", index=0, generation=2),), reopen=2))
    assert (await as_of(store, report, 1))[0] == failed
    assert (await parts_of(store, report))[0] == a_judged_part("0", index=0, generation=2)
