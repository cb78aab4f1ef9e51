"""Tells the renderer of a task that becomes a dead letter: its part has failed, so that its report ends."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from shared.messages import PartFailed
from shared.salvage import part_in
from shared.vocabulary import Reason

LONGEST_DETAIL = 1000  # characters


def failing_parts(
    announce: Callable[[PartFailed], Awaitable[None]], now: Callable[[], datetime]
) -> Callable[[ConsumerRecord[Any, Any], str], Awaitable[None]]:
    """What to do also about a dead task: its part fails, where it can be read. The first outcome of a part holds."""

    async def fail(record: ConsumerRecord[Any, Any], error: str) -> None:
        failed = failed_part(record.value or b"", error, now())
        if failed is not None:
            await announce(failed)

    return fail


def failed_part(body: bytes, error: str, at: datetime) -> PartFailed | None:
    """The outcome of a task that could not be handled; None if it is not certain which part it was for."""
    part = part_in(body)
    if part is None:
        return None
    return PartFailed(
        report_id=part.report_id,
        part_id=part.part_id,
        generation=part.generation,
        reason=Reason.INTERNAL,
        detail=f"the task could not be processed: {error}"[:LONGEST_DETAIL],
        attempts=0,
        retryable=False,
        seconds=0,
        finished_at=at,
    )
