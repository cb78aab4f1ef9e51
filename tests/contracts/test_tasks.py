"""What the stored tasks must do, in memory and in the real database alike."""

import pytest

from shared.store import Store
from shared.store.tasks import CHUNK_TASKS, StoredTask, TaskCollection
from shared.vocabulary import Lane
from tests.builders import a_task, at
from tests.stores import FakeTasks

pytestmark = pytest.mark.anyio

LATER = at(86_400)


@pytest.fixture(params=["fake", "real"])
def tasks(request: pytest.FixtureRequest, store: Store) -> FakeTasks | TaskCollection:
    return FakeTasks() if request.param == "fake" else store.tasks


def a_stored_task(number: int) -> StoredTask:
    return StoredTask(number, Lane.BULK, number % 6, a_task(str(number)).model_dump_json())


async def test_tasks_are_found_by_the_index_of_their_part_and_in_its_order(tasks: FakeTasks | TaskCollection) -> None:
    some = [a_stored_task(number) for number in range(CHUNK_TASKS + 7) if number != 3]
    await tasks.insert("token", some, LATER)
    await tasks.insert("token", [a_stored_task(200)], LATER)
    await tasks.insert("token", [], LATER)
    await tasks.insert("another", [a_stored_task(0)], LATER)

    assert [task async for task in tasks.of_plan("token", 0, 200)] == some
    assert [task.number async for task in tasks.of_plan("token", 2, 5)] == [2, 4]
    assert [task.number async for task in tasks.of_plan("token", CHUNK_TASKS + 2, CHUNK_TASKS + 4)] == [102, 103]
    assert [task.number async for task in tasks.of_plan("token", 200, 201)] == [200]
    assert [await tasks.get("token", number) for number in (5, 3, 300)] == [a_task("5"), None, None]
