"""Puts JSON lines into the source database: agents, runs and reviews, as the orchestrator reads them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, JsonValue

from services.client.rows import Row, checked, read_rows, refuse
from shared.messages import AgentInput, ReviewInput, RunInput
from shared.settings import MongoSettings
from shared.store import connect

BATCH_ROWS = 1000

Fields = Mapping[str, JsonValue | datetime]


class Source(NamedTuple):
    """One collection: what its rows must fit, whose they are, what identifies them, and which field is a time."""

    collection: str
    model: type[BaseModel]
    owner: str
    key: tuple[str, ...]
    time: str | None = None


AGENTS = Source("agents", AgentInput, "environment_id", ("environment_id", "agent_id"))
RUNS = Source("agent_runs", RunInput, "environment_id", ("environment_id", "agent_id", "run_id"), "started_at")
REVIEWS = Source("reviews", ReviewInput, "app_id", ("app_id", "review_id"), "created_at")


class _Timed(BaseModel):
    at: AwareDatetime | None = None


def rows_for(source: Source, path: Path, owner: str | None) -> list[Fields]:
    """The rows of a file as documents; `owner` is the environment or app of rows that do not name theirs.

    Raises InputError.
    """
    rows = [_owned(row, source, owner) for row in read_rows(path)]
    hints = {source.owner: f"Field required, in the row or as --{source.owner.replace('_', '-')}"}
    refuse(
        [
            f"{row.place}: {name}: {hints.get(name, 'Field required')}"
            for row in rows
            for name in source.key
            if not row.fields.get(name)
        ]
    )
    for _ in checked(source.model, rows):
        pass
    return [_timed(row, source) for row in rows]


async def load(settings: MongoSettings, source: Source, rows: Sequence[Fields]) -> None:
    """Put rows into their collection; a row that is there already is replaced. Raises StoreUnavailableError."""
    async with connect(settings) as store:
        await store.sources.prepare()
        for start in range(0, len(rows), BATCH_ROWS):
            await store.sources.load(source.collection, rows[start : start + BATCH_ROWS], source.key)


def _owned(row: Row, source: Source, owner: str | None) -> Row:
    return row if row.fields.get(source.owner) else Row(row.place, {**row.fields, source.owner: owner})


def _timed(row: Row, source: Source) -> Fields:
    """The fields, the time as a time: the database sorts by it."""
    if source.time is None or row.fields.get(source.time) is None:
        return row.fields
    return {**row.fields, source.time: _Timed.model_validate({"at": row.fields[source.time]}).at}
