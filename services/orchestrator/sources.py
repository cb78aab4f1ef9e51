"""Where evidence comes from: inline data, an upload, or the source database; read piece by piece."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from pydantic import ValidationError

from services.orchestrator.evidence import Rating, review_facts, review_row, run_facts, run_row
from services.orchestrator.objections import bad_keys
from services.orchestrator.pieces import Piece, PieceEvidence, RejectedError, Source
from shared.evaluations import EvidenceRow
from shared.messages import AgentInput, InlineData, ReportRequested, ReviewInput, RunInput
from shared.store.sources import SourceCollections, UnreadableRowError, Window
from shared.vocabulary import Kind


class Uploads(Protocol):
    """Where the gateway puts inline data that is too large for a record."""

    async def get(self, sha256: str) -> bytes | None:
        """The content, if all of it is there."""


async def source_of(request: ReportRequested, uploads: Uploads, database: SourceCollections, window: Window) -> Source:
    """The source that the request names. Raises RejectedError."""
    data = request.data
    if data is None and request.data_sha256 is not None:
        data = await _uploaded(request.data_sha256, uploads)
    if request.kind is Kind.AGENTS:
        if data is not None:
            return InlineAgents(request, data, window)
        if request.environment_id is None:
            raise RejectedError("environment_id or data.agents is needed")
        return StoredAgents(request, request.environment_id, database, window)
    if data is not None:
        return InlineReviews(request, data, window)
    if request.app_id is None:
        raise RejectedError("app_id or data.reviews is needed")
    return StoredReviews(request, request.app_id, database, window)


async def _uploaded(sha256: str, uploads: Uploads) -> InlineData:
    content = await uploads.get(sha256)
    if content is None:
        raise RejectedError(f"the uploaded data {sha256} is not there")
    try:
        return InlineData.model_validate_json(content)
    except ValidationError as error:
        raise RejectedError(f"the uploaded data cannot be read: {error.error_count()} problems") from error


class InlineAgents:
    """Agents and runs that came with the request."""

    def __init__(self, request: ReportRequested, data: InlineData, window: Window) -> None:
        agents = data.agents or ()
        _refuse(bad_keys([agent.agent_id for agent in agents], "agent_id"))
        for agent in agents:
            _refuse(bad_keys([run.run_id for run in agent.runs], f"run_id of agent {agent.agent_id!r}"))
        self._request = request
        self._window = window
        self._agents = {agent.agent_id: agent for agent in agents}

    async def pieces(self) -> Sequence[Piece]:
        """The agents as given, or those asked for."""
        wanted = self._request.agent_ids or tuple(self._agents)
        return [_agent(key, self._agents.get(key)) for key in wanted]

    async def evidence(self, piece: Piece) -> PieceEvidence:
        """The agent's last runs."""
        agent = self._agents.get(piece.key)
        model = self._request.run_model
        runs = [run for run in agent.runs if model is None or run.model == model] if agent else []
        within = [run for run in runs if _within(self._window, run.started_at)]
        newest = sorted(enumerate(within), key=lambda item: (item[1].started_at or _NEVER, item[0]), reverse=True)
        last = [run for _, run in newest[: self._request.runs_per_agent]]
        return _runs(piece, last, len(within))


class StoredAgents:
    """Agents and runs in the source database."""

    def __init__(
        self, request: ReportRequested, environment_id: str, database: SourceCollections, window: Window
    ) -> None:
        self._request = request
        self._environment_id = environment_id
        self._database = database
        self._window = window

    async def pieces(self) -> Sequence[Piece]:
        """The environment's agents, or those asked for, whether they are there or not."""
        try:
            found = {
                agent.agent_id: agent
                async for agent in self._database.agents(self._environment_id, self._request.agent_ids)
            }
        except UnreadableRowError as error:
            raise RejectedError(str(error)) from error
        return [_agent(key, found.get(key)) for key in self._request.agent_ids or tuple(found)]

    async def evidence(self, piece: Piece) -> PieceEvidence:
        """The agent's last runs."""
        asked = (self._environment_id, piece.key, self._window, self._request.run_model)
        total = await self._database.count_runs(*asked)
        try:
            runs = [run async for run in self._database.last_runs(*asked, self._request.runs_per_agent)]
        except UnreadableRowError as error:
            raise RejectedError(str(error)) from error
        return _runs(piece, runs, total)


class InlineReviews:
    """Reviews that came with the request."""

    def __init__(self, request: ReportRequested, data: InlineData, window: Window) -> None:
        reviews = data.reviews or ()
        _refuse(bad_keys([review.review_id for review in reviews], "review_id"))
        self._request = request
        self._by_language: dict[str, list[ReviewInput]] = {}
        for review in reviews:
            if _within(window, review.created_at):
                self._by_language.setdefault(review.language, []).append(review)

    async def pieces(self) -> Sequence[Piece]:
        """The languages there are, or those asked for."""
        languages = self._request.languages or tuple(sorted(self._by_language))
        return [Piece(language, language) for language in languages]

    async def evidence(self, piece: Piece) -> PieceEvidence:
        """The reviews in the language."""
        return _reviews(piece, self._by_language.get(piece.key, []))


class StoredReviews:
    """Reviews in the source database."""

    def __init__(self, request: ReportRequested, app_id: str, database: SourceCollections, window: Window) -> None:
        self._request = request
        self._app_id = app_id
        self._database = database
        self._window = window

    async def pieces(self) -> Sequence[Piece]:
        """The languages there are, or those asked for."""
        languages = self._request.languages or await self._database.languages(self._app_id, self._window)
        return [Piece(language, language) for language in languages]

    async def evidence(self, piece: Piece) -> PieceEvidence:
        """The reviews in the language; each becomes its row at once, so that none is in memory twice."""
        rows: list[EvidenceRow] = []
        ratings: list[Rating] = []
        try:
            async for review in self._database.reviews(self._app_id, piece.key, self._window):
                rows.append(review_row(review))
                ratings.append(Rating(review.rating, review.recommended))
        except UnreadableRowError as error:
            raise RejectedError(str(error)) from error
        return PieceEvidence(piece, tuple(rows), review_facts(ratings), len(rows))


_NEVER = datetime.min.replace(tzinfo=UTC)


def _within(window: Window, at: datetime | None) -> bool:
    """Rows without a time always count."""
    if at is None:
        return True
    return (window.start is None or at >= window.start) and (window.end is None or at < window.end)


def _refuse(objections: Sequence[str]) -> None:
    if objections:
        raise RejectedError("; ".join(objections))


def _agent(key: str, agent: AgentInput | None) -> Piece:
    if agent is None:
        return Piece(key, key, None)
    return Piece(key, agent.name or key, agent.description)


def _runs(piece: Piece, runs: Sequence[RunInput], total: int) -> PieceEvidence:
    return PieceEvidence(piece, tuple(map(run_row, runs)), run_facts(runs), total)


def _reviews(piece: Piece, reviews: Sequence[ReviewInput]) -> PieceEvidence:
    return PieceEvidence(piece, tuple(map(review_row, reviews)), review_facts(reviews), len(reviews))
