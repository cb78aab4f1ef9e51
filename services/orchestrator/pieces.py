"""A report's pieces and their evidence as values, and what planning asks of a source of them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from shared.evaluations import EvidenceRow, Facts


class Piece(NamedTuple):
    """An agent or a language that becomes a part."""

    key: str
    name: str
    description: str | None = None


class RejectedError(Exception):
    """The request cannot be served; the message says why, in words."""


class PieceEvidence(NamedTuple):
    """All rows of a piece within the request's limits, the facts about them, and how many rows there were at first."""

    piece: Piece
    rows: tuple[EvidenceRow, ...]
    facts: Facts
    total: int


class Source(Protocol):
    """Evidence for one request."""

    async def pieces(self) -> Sequence[Piece]:
        """The agents or languages, in order. Raises RejectedError."""

    async def evidence(self, piece: Piece) -> PieceEvidence:
        """The rows of one. Raises RejectedError."""
