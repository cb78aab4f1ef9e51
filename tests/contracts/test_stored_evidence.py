"""The frozen evidence: as many rows as there are, in their order, written a bounded part at a time."""

from datetime import timedelta

import pytest

from shared.store import Store, evidence
from shared.store.evidence import PieceRows
from tests.builders import NOON, a_row

pytestmark = pytest.mark.anyio

LATER = NOON + timedelta(days=1)


@pytest.mark.parametrize("write_bytes", [1, 500, 1_000_000], ids=["each", "some", "one"])
async def test_rows_are_read_in_the_order_of_pieces_however_many_writes_they_took(
    store: Store, write_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "CHUNK_ROWS", 3)
    monkeypatch.setattr(evidence, "WRITE_BYTES", write_bytes)
    pieces = [
        PieceRows(index, [a_row(key, f"{key}-{number}", used=number % 2 == 0, text="T") for number in range(10)])
        for index, key in enumerate(("en", "de", "fr"))
    ]
    await store.evidence.insert("token", pieces[:2], LATER)
    await store.evidence.insert("token", pieces[2:], LATER)

    assert [row async for row in store.evidence.of_plan("token")] == [row for piece in pieces for row in piece.rows]
    assert [row async for row in store.evidence.of_plan("other")] == []


async def test_pieces_without_rows_are_no_document(store: Store) -> None:
    await store.evidence.insert("token", [PieceRows(0, [])], LATER)
    assert [row async for row in store.evidence.of_plan("token")] == []
