"""The end of a client, however the broker's client library behaves at it."""

import asyncio

import pytest

from shared.leaving import ended

pytestmark = pytest.mark.anyio


async def test_a_client_that_ends_well_is_said_to() -> None:
    assert await ended(asyncio.sleep(0), "the client")


async def test_a_cancellation_from_within_does_not_reach_the_one_who_waits() -> None:
    async def cancelled_from_within() -> None:
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task

    assert not await ended(cancelled_from_within(), "the client")


async def test_a_client_that_hangs_is_left_after_the_bound() -> None:
    let_go = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            let_go.set()

    assert not await ended(hangs(), "the client", seconds=0)
    await let_go.wait()


async def test_a_failure_at_the_end_is_said_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ConnectionError("gone")

    assert not await ended(fails(), "leaving the group")
    assert "leaving the group failed: ConnectionError('gone')" in caplog.text
