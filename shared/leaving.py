"""Ends what a client of the broker holds, in bounded time and whatever has become of the broker."""

import asyncio
import logging
from collections.abc import Awaitable

logger = logging.getLogger(__name__)

LEAVE_SECONDS = 10.0  # a broker that is away is not waited for: it forgets a member by itself


async def ended(ending: Awaitable[object], what: str, seconds: float = LEAVE_SECONDS) -> bool:
    """Wait for the end of something that may hang, fail, or be cancelled from within; True if it ended well.

    aiokafka lets a cancellation of its own escape from `stop()`: taken for ours it would cut every drain short.
    """
    task = asyncio.ensure_future(ending)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        task.cancel()
        logger.warning("%s does not end within %s s: left as it is", what, seconds)
        return False
    if task.cancelled():
        logger.warning("%s ended in the middle: the broker is away", what)
        return False
    if error := task.exception():
        logger.warning("%s failed: %r", what, error)
        return False
    return True
