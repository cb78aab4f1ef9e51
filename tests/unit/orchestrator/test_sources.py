"""Where evidence comes from: inline, uploaded, or the source database."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast

import pytest

from services.orchestrator.pieces import Piece, PieceEvidence, RejectedError, Source
from services.orchestrator.sources import source_of
from shared.messages import AgentInput, InlineData, ReportRequested, ReviewInput, RunInput
from shared.store.sources import SourceCollections, Window
from tests.builders import NOON, a_request, at
from tests.fakes import FakeUploads
from tests.stores import FakeSources


class Reading:
    """A request's source, read to its end."""

    def __init__(self) -> None:
        self.uploads = FakeUploads()
        self.database = FakeSources()

    async def source(self, request: ReportRequested) -> Source:
        window = Window(request.period.from_, request.period.to or NOON)
        return await source_of(request, self.uploads, cast("SourceCollections", self.database), window)

    async def all(self, request: ReportRequested) -> list[PieceEvidence]:
        source = await self.source(request)
        return [await source.evidence(piece) for piece in await source.pieces()]

    async def refused(self, request: ReportRequested) -> str:
        with pytest.raises(RejectedError) as raised:
            await self.all(request)
        return str(raised.value)


def runs(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"run_id": f"run-{number}", **given} for number, given in enumerate(fields, 1)]


def inline(*agents: dict[str, Any], **fields: Any) -> ReportRequested:
    return a_request(data={"agents": list(agents)}, **fields)


def reviews(*given: tuple[str, float | None], **fields: Any) -> ReportRequested:
    rows = [
        {"review_id": number, "language": language, "text": "T", "created_at": at(when).isoformat() if when else None}
        for number, (language, when) in enumerate(given, 1)
    ]
    return a_request(kind="reviews", data={"reviews": rows}, **fields)


def ids(found: PieceEvidence) -> list[str]:
    return [row.id for row in found.rows]


def keys(found: Sequence[PieceEvidence]) -> list[str]:
    return [item.piece.key for item in found]


# --- inline agents


async def test_inline_agents_come_in_the_order_given_with_their_names() -> None:
    found = await Reading().all(inline({"agent_id": "b", "name": "Bea", "description": "Buys."}, {"agent_id": "a"}))
    assert [item.piece for item in found] == [Piece("b", "Bea", "Buys."), Piece("a", "a", None)]


async def test_of_an_agents_runs_the_newest_are_taken_and_all_are_counted() -> None:
    given = runs({"started_at": at(-9)}, {}, {"started_at": at(-1)}, {"started_at": at(-5)})
    (found,) = await Reading().all(inline({"agent_id": "a", "runs": given}, runs_per_agent=3))
    assert ids(found) == ["run-3", "run-4", "run-1"]
    assert (found.total, found.facts.rows) == (4, 3)


async def test_runs_without_a_time_are_taken_from_the_end() -> None:
    (found,) = await Reading().all(inline({"agent_id": "a", "runs": runs({}, {}, {})}, runs_per_agent=2))
    assert ids(found) == ["run-3", "run-2"]


async def test_a_period_includes_its_beginning_and_not_its_end() -> None:
    given = runs(*({"started_at": at(second)} for second in (-11, -10, -1, 0)), {})
    period = {"from": at(-10).isoformat(), "to": at(0).isoformat()}
    (found,) = await Reading().all(inline({"agent_id": "a", "runs": given}, period=period))
    assert ids(found) == ["run-3", "run-2", "run-5"]


async def test_inline_rows_from_after_the_acceptance_are_outside_a_period_without_end() -> None:
    (agent,) = await Reading().all(
        inline({"agent_id": "a", "runs": runs({"started_at": at(0)}, {"started_at": at(-1)})})
    )
    (english,) = await Reading().all(reviews(("en", 0.5), ("en", -1)))
    assert (ids(agent), ids(english)) == (["run-2"], ["2"])


async def test_runs_of_another_model_do_not_count_where_one_is_asked_for() -> None:
    given = runs({"model": "gpt-4o"}, {"model": "other"}, {})
    (found,) = await Reading().all(inline({"agent_id": "a", "runs": given}, run_model="gpt-4o"))
    assert (ids(found), found.total) == (["run-1"], 1)


async def test_the_agents_asked_for_are_the_pieces_whether_they_are_there_or_not() -> None:
    found = await Reading().all(inline({"agent_id": 7, "runs": runs({})}, {"agent_id": 8}, agent_ids=[9, 7]))
    assert [item.piece for item in found] == [Piece("9", "9"), Piece("7", "7")]
    assert [item.total for item in found] == [0, 1]


@pytest.mark.parametrize(
    ("agents", "words"),
    [
        ([{"agent_id": 7}, {"agent_id": "7"}], "data: duplicate agent_id '7'"),
        ([{"agent_id": " "}], "data: an empty agent_id"),
        ([{"agent_id": "7", "runs": [{"run_id": 1}, {"run_id": "1"}]}], "data: duplicate run_id of agent '7' '1'"),
    ],
)
async def test_inline_agents_that_cannot_be_told_apart_are_refused(agents: list[dict[str, Any]], words: str) -> None:
    assert await Reading().refused(inline(*agents)) == words


async def test_the_same_run_id_may_stand_under_two_agents() -> None:
    found = await Reading().all(inline({"agent_id": "a", "runs": runs({})}, {"agent_id": "b", "runs": runs({})}))
    assert [ids(item) for item in found] == [["run-1"], ["run-1"]]


# --- inline reviews


async def test_inline_reviews_are_grouped_by_language_in_alphabetical_order() -> None:
    found = await Reading().all(reviews(("fr", None), ("de", None), ("fr", None)))
    assert keys(found) == ["de", "fr"]
    assert [ids(item) for item in found] == [["2"], ["1", "3"]]


async def test_the_languages_asked_for_are_the_pieces_whether_they_are_there_or_not() -> None:
    found = await Reading().all(reviews(("fr", None), ("de", None), languages=["pt", "fr"]))
    assert [(item.piece.key, item.total) for item in found] == [("pt", 0), ("fr", 1)]


async def test_a_language_without_reviews_in_the_period_is_no_piece() -> None:
    found = await Reading().all(reviews(("fr", -20), ("de", -5), period={"from": at(-10).isoformat()}))
    assert keys(found) == ["de"]


async def test_two_reviews_with_one_id_are_refused() -> None:
    request = a_request(kind="reviews", data={"reviews": [{"review_id": 1, "language": "en", "text": "T"}] * 2})
    assert await Reading().refused(request) == "data: duplicate review_id '1'"


# --- uploads


def upload(reading: Reading, content: bytes) -> ReportRequested:
    digest = sha256(content).hexdigest()
    reading.uploads.stored[digest] = content
    return a_request(data=None, data_sha256=digest)


async def test_uploaded_data_is_read_like_inline_data() -> None:
    reading, request = Reading(), inline({"agent_id": "a", "runs": runs({})})
    assert isinstance(request.data, InlineData)
    uploaded = upload(reading, request.data.model_dump_json().encode())
    assert await reading.all(uploaded) == await reading.all(request)


async def test_an_upload_that_is_not_there_is_refused() -> None:
    assert await Reading().refused(a_request(data=None, data_sha256="ab")) == "the uploaded data ab is not there"


async def test_an_upload_that_cannot_be_read_is_refused_without_showing_it() -> None:
    reading = Reading()
    reason = await reading.refused(upload(reading, b'{"agents": [{"agent_id": "secret", "runs": 1}, {}]}'))
    assert reason == "the uploaded data cannot be read: 2 problems"


# --- the source database


def stored(**fields: Any) -> ReportRequested:
    return a_request(**{"data": None, "environment_id": 42, "app_id": 7, **fields})


async def test_an_environments_agents_and_their_last_runs_are_read_from_the_source() -> None:
    reading = Reading()
    reading.database.all_agents = [AgentInput(agent_id="7", name="Seven"), AgentInput(agent_id="8")]
    reading.database.runs["7"] = [RunInput(run_id=str(number), model="m") for number in range(30)]
    period = {"from": at(-60).isoformat()}
    seven, eight = await reading.all(stored(period=period, runs_per_agent=5))
    assert (seven.piece, len(seven.rows), seven.total) == (Piece("7", "Seven"), 5, 30)
    assert (eight.piece, eight.rows, eight.total) == (Piece("8", "8"), (), 0)
    assert reading.database.windows == {Window(at(-60), NOON)}


async def test_the_stored_agents_asked_for_are_the_pieces_whether_they_are_there_or_not() -> None:
    reading = Reading()
    reading.database.all_agents = [AgentInput(agent_id="7"), AgentInput(agent_id="8")]
    assert keys(await reading.all(stored(agent_ids=[9, 8]))) == ["9", "8"]


async def test_an_apps_reviews_are_read_by_language_from_the_source() -> None:
    reading = Reading()
    reading.database.all_reviews = [
        ReviewInput(review_id=str(number), language=language, text="T") for number, language in enumerate(["fr", "de"])
    ]
    assert keys(await reading.all(stored(kind="reviews"))) == ["de", "fr"]
    assert keys(await reading.all(stored(kind="reviews", languages=["fr", "pt"]))) == ["fr", "pt"]


@pytest.mark.parametrize("kind", ["agents", "reviews"])
async def test_a_row_that_cannot_be_read_is_refused_by_name(kind: str) -> None:
    reading = Reading()
    reading.database.all_agents = [AgentInput(agent_id="x")]
    reading.database.all_reviews = [ReviewInput(review_id="1", language="x", text="T")]
    reading.database.broken = "x"
    assert await reading.refused(stored(kind=kind)) == "document of 'x': run_id: Field required"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"environment_id": None}, "environment_id or data.agents is needed"),
        ({"kind": "reviews", "app_id": None}, "app_id or data.reviews is needed"),
    ],
)
async def test_a_request_must_say_where_its_evidence_is(fields: dict[str, Any], words: str) -> None:
    assert await Reading().refused(stored(**fields)) == words
