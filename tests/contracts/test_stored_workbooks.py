"""How workbooks are stored: each under its own id, and all of them gone, chunks included, when their time is up."""

from pathlib import Path

import pytest

from shared.store import Store
from tests.builders import at

pytestmark = pytest.mark.anyio

CONTENT = b"x" * 600_000  # three chunks


async def test_the_workbooks_of_all_generations_go_with_their_chunks(
    store: Store, database_name: str, tmp_path: Path
) -> None:
    path = tmp_path / "workbook.xlsx"
    path.write_bytes(CONTENT)
    first, second = [await store.workbooks.store(path, "r.xlsx", at(60)) for _ in range(2)]
    later = await store.workbooks.store(path, "r.xlsx", at(600))
    chunks = store.client[database_name]["workbooks.chunks"]
    assert first != second
    assert await chunks.count_documents({}) == 9
    assert b"".join([chunk async for chunk in store.workbooks.read(first)]) == CONTENT

    assert await store.workbooks.expire(at(61)) == 2

    assert await chunks.count_documents({}) == 3
    assert b"".join([chunk async for chunk in store.workbooks.read(later)]) == CONTENT
    assert await store.workbooks.expire(at(61)) == 0
