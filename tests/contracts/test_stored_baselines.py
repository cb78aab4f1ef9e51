"""How plans are found by what they are about, and how a baseline's parts are stored."""

from typing import Any

import pytest

from shared.store import Store
from shared.store.plans import Subject
from shared.vocabulary import Kind
from tests.builders import a_failed_part, a_judged_part, a_plan, at

pytestmark = pytest.mark.anyio

LATER = at(86_400)


async def test_plans_are_found_by_owner_kind_and_subject_the_last_one_first(store: Store) -> None:
    others: list[dict[str, Any]] = [{}, {}, {"owner": "bob"}, {"subject": "43"}, {"kind": Kind.REVIEWS}, {}]
    for number, changes in enumerate(others):
        fields = {"owner": "ann", "accepted_at": at(number), **changes}
        await store.plans.store(a_plan(report_id=f"r{number}", **fields), (a_judged_part(f"{number}"),), LATER)
    found = store.plans.before(Subject("ann", Kind.AGENTS, "42"), at(5))
    assert [plan.report_id async for plan in found] == ["r1", "r0"]


async def test_plans_without_an_owner_are_found_by_those_without(store: Store) -> None:
    await store.plans.store(a_plan(report_id="r0"), (a_judged_part("1"),), LATER)
    assert [plan.report_id async for plan in store.plans.before(Subject(None, Kind.AGENTS, "42"), at(5))] == ["r0"]
    assert not [plan async for plan in store.plans.before(Subject("ann", Kind.AGENTS, "42"), at(5))]


async def test_the_parts_of_a_baseline_come_back_in_order(store: Store) -> None:
    parts = [a_judged_part("1"), a_failed_part("2"), a_judged_part("3")]
    await store.baselines.insert("token", 2, parts[2:], LATER)
    await store.baselines.insert("token", 0, parts[:2], LATER)
    await store.baselines.insert("other", 0, [a_judged_part("9")], LATER)
    assert [part async for part in store.baselines.of_plan("token")] == parts
