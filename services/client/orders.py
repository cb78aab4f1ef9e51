"""What `POST /reports` is sent: from a request file, or from agents, runs and reviews in files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from services.client.options import applied
from services.client.rows import InputError, Row, checked, read_rows, refuse, worded
from shared.messages import AgentInput, InlineData, ReportId, ReportRequested, ReportSpec, ReviewInput, RunInput
from shared.vocabulary import Kind


class NotEstimatedError(Exception):
    """The request cannot be served, or its evidence cannot be reached from here; the message says which."""


class Order(ReportSpec):
    """A report as asked for over HTTP; without an id the gateway gives it one."""

    report_id: ReportId | None = None

    @property
    def body(self) -> bytes:
        """The fields as given, as JSON."""
        return self.model_dump_json(exclude_unset=True, by_alias=True).encode()


class Inputs(NamedTuple):
    """The files an order is made from: a request, or agents with runs, or reviews."""

    request: Path | None = None
    agents: Path | None = None
    runs: Path | None = None
    reviews: Path | None = None


def requested(order: Order, report_id: str) -> ReportRequested:
    """The request that an order becomes at the gateway; the id is for an order without one."""
    fields = order.model_dump(by_alias=True, exclude_unset=True)
    return ReportRequested.model_validate({"report_id": report_id, **fields})


def from_inputs(inputs: Inputs, options: Sequence[str]) -> Order:
    """The order that these files ask for. Raises InputError."""
    match inputs:
        case Inputs(Path() as request, None, None, None):
            return from_text(str(request), _text_of(request), options)
        case Inputs(None, None, None, Path() as reviews):
            return from_reviews(reviews, options)
        case Inputs(None, agents, runs, None) if agents or runs:
            return from_runs(agents, runs, options)
    raise InputError("name one input: a request, or --agents and --runs, or --reviews")


def from_text(source: str, text: str, options: Sequence[str]) -> Order:
    """The order in a request's text. Raises InputError."""
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise InputError(f"{source}: {error}") from error
    if not isinstance(fields, dict):
        raise InputError(f"{source}: not a JSON object")
    return _order(fields, options, source)


def from_reviews(path: Path, options: Sequence[str]) -> Order:
    """An order for the reviews in a file. Raises InputError."""
    reviews = tuple(checked(ReviewInput, [_without(row, "app_id") for row in read_rows(path)]))
    order = _order({"kind": Kind.REVIEWS, "app_id": path.stem, "title": f"Reviews in {path.name}"}, options, str(path))
    return order.model_copy(update={"data": InlineData(reviews=reviews)})


def from_runs(agents: Path | None, runs: Path | None, options: Sequence[str]) -> Order:
    """An order for the agents in one file with the runs in another, or in one alone. Raises InputError."""
    named = next(path for path in (agents, runs) if path)
    data = InlineData(agents=joined(read_rows(agents) if agents else [], read_rows(runs) if runs else []))
    fields: dict[str, JsonValue] = {
        "kind": Kind.AGENTS,
        "environment_id": named.stem,
        "title": f"Agents in {named.name}",
    }
    return _order(fields, options, str(named)).model_copy(update={"data": data})


def joined(agent_rows: list[Row], run_rows: list[Row]) -> tuple[AgentInput, ...]:
    """The agents in the order of their rows, each with its runs; an agent that only runs name comes after them."""
    refuse([f"{row.place}: agent_id: Field required" for row in run_rows if not row.fields.get("agent_id")])
    agents = {agent.agent_id: agent for agent in checked(AgentInput, agent_rows)}
    if len(agents) < len(agent_rows):
        raise InputError(f"{_first_repeated(agent_rows)}: an agent of this agent_id stands above already")
    runs: dict[str, list[RunInput]] = {}
    bare = [_without(row, "agent_id", "environment_id") for row in run_rows]
    for row, run in zip(run_rows, checked(RunInput, bare), strict=True):
        runs.setdefault(str(row.fields["agent_id"]), []).append(run)
    unnamed = {key: AgentInput(agent_id=key) for key in runs if key not in agents}
    return tuple(
        agent.model_copy(update={"runs": (*agent.runs, *runs.get(key, ()))})
        for key, agent in {**agents, **unnamed}.items()
    )


def _order(fields: Mapping[str, JsonValue], options: Sequence[str], source: str) -> Order:
    try:
        return Order.model_validate(applied(fields, options, Order))
    except ValidationError as error:
        raise InputError("\n".join(f"{source}: {problem}" for problem in worded(error))) from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from error


def _without(row: Row, *names: str) -> Row:
    return Row(row.place, {name: value for name, value in row.fields.items() if name not in names})


def _first_repeated(rows: list[Row]) -> str:
    seen: set[JsonValue] = set()
    for row in rows:
        key = row.fields["agent_id"]
        if key in seen:
            return row.place
        seen.add(key)
    return rows[-1].place
