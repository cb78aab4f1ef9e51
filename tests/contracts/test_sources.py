"""The source database as it is read: what is within the period, whose it is, in which order, with which fields."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import pytest

from shared.messages import AgentInput, ReviewInput, RunInput
from shared.store import Store
from shared.store.sources import UnreadableRowError, Window
from tests.builders import NOON, at

pytestmark = pytest.mark.anyio

ALWAYS = Window(None, None)


@pytest.fixture
def owner(database_name: str) -> str:
    """An environment or an app that no other test has rows of: the source database is one for all."""
    return f"9{database_name.removeprefix('contract')}"


async def load(store: Store, collection: str, *rows: Mapping[str, Any]) -> None:
    key = {"agents": "agent_id", "agent_runs": "run_id", "reviews": "review_id"}[collection]
    owner = "app_id" if collection == "reviews" else "environment_id"
    await store.sources.load(collection, rows, [owner, key])


async def ids(found: AsyncIterator[RunInput] | AsyncIterator[ReviewInput] | AsyncIterator[AgentInput]) -> list[str]:
    return [str(next(iter(row.model_dump().values()))) async for row in found]


def run(owner: str, run_id: str, started_at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    return {"environment_id": owner, "agent_id": "7", "run_id": run_id, "started_at": started_at, **fields}


def review(owner: str, review_id: str, created_at: datetime | None = None, **fields: Any) -> dict[str, Any]:
    text = {"language": "en", "text": "T"}
    return {"app_id": owner, "review_id": review_id, "created_at": created_at, **text, **fields}


async def test_a_period_includes_its_beginning_and_not_its_end_and_rows_without_a_time(
    store: Store, owner: str
) -> None:
    times = {"before": -61, "first": -60, "last": -0.001, "end": 0}
    period = Window(at(-60), NOON)
    await load(store, "agent_runs", run(owner, "never"), *(run(owner, key, at(when)) for key, when in times.items()))
    await load(store, "reviews", review(owner, "never"), *(review(owner, key, at(when)) for key, when in times.items()))

    assert await ids(store.sources.last_runs(owner, "7", period, None, 20)) == ["last", "first", "never"]
    assert await store.sources.count_runs(owner, "7", period, None) == 3
    assert await ids(store.sources.reviews(owner, "en", period)) == ["last", "first", "never"]
    assert await ids(store.sources.reviews(owner, "en", ALWAYS)) == ["end", "last", "first", "before", "never"]


async def test_the_last_runs_are_the_newest_and_all_are_counted(store: Store, owner: str) -> None:
    await load(store, "agent_runs", *(run(owner, str(number), at(number)) for number in range(30)))
    assert await ids(store.sources.last_runs(owner, "7", ALWAYS, None, 3)) == ["29", "28", "27"]
    assert await store.sources.count_runs(owner, "7", ALWAYS, None) == 30


async def test_a_model_that_is_asked_for_is_the_only_one(store: Store, owner: str) -> None:
    await load(store, "agent_runs", run(owner, "1", model="gpt-4o"), run(owner, "2", model="other"), run(owner, "3"))
    assert await ids(store.sources.last_runs(owner, "7", ALWAYS, "gpt-4o", 20)) == ["1"]
    assert await store.sources.count_runs(owner, "7", ALWAYS, "gpt-4o") == 1


async def test_agents_are_those_asked_for_and_of_the_environment(store: Store, owner: str) -> None:
    await load(store, "agents", *({"environment_id": owner, "agent_id": key} for key in ("7", "8", "9")))
    await load(store, "agents", {"environment_id": f"{owner}0", "agent_id": "10"})
    assert await ids(store.sources.agents(owner, None)) == ["7", "8", "9"]
    assert await ids(store.sources.agents(owner, ["9", "7", "10"])) == ["7", "9"]


async def test_ids_that_others_stored_as_numbers_are_found_by_their_text(store: Store, owner: str) -> None:
    number = int(owner)
    await load(store, "agents", {"environment_id": number, "agent_id": 7})
    await load(store, "agent_runs", run(owner, "1") | {"environment_id": number, "agent_id": 7})
    await load(store, "reviews", review(owner, "1") | {"app_id": number, "review_id": 12})
    assert await ids(store.sources.agents(owner, ["7"])) == ["7"]
    assert await ids(store.sources.last_runs(owner, "7", ALWAYS, None, 20)) == ["1"]
    assert await ids(store.sources.reviews(owner, "en", ALWAYS)) == ["12"]


async def test_languages_are_those_with_reviews_in_the_period(store: Store, owner: str) -> None:
    rows = [review(owner, "1", at(-90), language="fr"), review(owner, "2", at(-5), language="de"), review(owner, "3")]
    await load(store, "reviews", *rows)
    assert await store.sources.languages(owner, ALWAYS) == ["de", "en", "fr"]
    assert await store.sources.languages(owner, Window(at(-60), NOON)) == ["de", "en"]
    assert await ids(store.sources.reviews(owner, "de", ALWAYS)) == ["2"]


async def test_unknown_fields_of_runs_and_reviews_are_evidence_and_those_of_agents_are_not_read(
    store: Store, owner: str
) -> None:
    runs = [{"run_id": "inside", "output": "x" * 1000}]
    await load(store, "agents", {"environment_id": owner, "agent_id": "7", "name": "Seven", "runs": runs})
    await load(store, "agent_runs", run(owner, "1", mood="good"))
    await load(store, "reviews", review(owner, "1", device="phone"))
    assert [agent async for agent in store.sources.agents(owner, None)] == [AgentInput(agent_id="7", name="Seven")]
    (one,) = [found async for found in store.sources.last_runs(owner, "7", ALWAYS, None, 20)]
    (other,) = [found async for found in store.sources.reviews(owner, "en", ALWAYS)]
    assert (one.model_extra, other.model_extra) == ({"agent_id": "7", "mood": "good"}, {"device": "phone"})


async def test_a_document_that_lacks_what_it_must_have_is_named(store: Store, owner: str) -> None:
    await load(store, "reviews", {**review(owner, "1"), "text": None})
    with pytest.raises(UnreadableRowError, match=f"reviews document '{owner}/1': text: "):
        await ids(store.sources.reviews(owner, "en", ALWAYS))


async def test_the_indexes_are_there_and_end_in_the_order_of_reading(store: Store) -> None:
    """Without the last field the database would sort what it reads in memory, which MongoDB bounds."""
    database = store.client["assay_source"]
    runs = [index["key"] for index in (await database["agent_runs"].index_information()).values()]
    reviews = [index["key"] for index in (await database["reviews"].index_information()).values()]
    assert [("environment_id", 1), ("agent_id", 1), ("started_at", -1), ("_id", -1)] in runs
    assert [("app_id", 1), ("language", 1), ("created_at", -1), ("_id", -1)] in reviews
