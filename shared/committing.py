"""Commits to Kafka what is done, one commit at a time and each in bounded time; what fails is tried again."""

import asyncio
import logging
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.offsets import Offsets, Place

logger = logging.getLogger(__name__)

COMMIT_TIMEOUT_SECONDS = 5.0  # the client retries inside for ever
COMMIT_INTERVAL_SECONDS = 0.05
AGAIN_SECONDS = 0.5


class Commits:
    """The commits of one consumer. `held` while a rebalance is under way: then only `now` commits."""

    def __init__(self, offsets: Offsets, committed: Callable[[], None]) -> None:
        self.held = True
        self.failures = 0
        self._offsets = offsets
        self._committed = committed
        self._called_for = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()  # an older commit must not arrive after a newer one

    def call_for(self) -> None:
        """Something is done: commit it soon."""
        self._called_for.set()

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        """Commit what is called for, many records in one commit, until cancelled."""
        while True:
            await self._called_for.wait()
            await asyncio.sleep(COMMIT_INTERVAL_SECONDS)
            self._called_for.clear()
            if not self.held and not await self.now(consumer):
                await asyncio.sleep(AGAIN_SECONDS)
                self._called_for.set()

    async def now(self, consumer: AIOKafkaConsumer) -> bool:
        """Commit what is done; False if it has to be tried again."""
        async with self._one_at_a_time:
            marks = self._offsets.committable()
            if not marks:
                return True
            offsets = {TopicPartition(*place): offset for place, offset in marks.items()}
            try:
                await asyncio.wait_for(consumer.commit(offsets), COMMIT_TIMEOUT_SECONDS)
            except (KafkaError, IllegalStateError, TimeoutError) as error:
                self.failures += 1
                logger.warning("commit failed, trying again: %r", error)
                return False
            self._offsets.committed(marks)
            self._committed()
            return True


async def committed_offset(consumer: AIOKafkaConsumer, place: Place) -> int | None:
    """What the group has committed; None where that is not known: then what is held is kept until delivered again."""
    try:
        committed: int | None = await consumer.committed(TopicPartition(*place))
    except KafkaError as error:
        logger.warning("committed offset of %s unknown: %r", place, error)
        return None
    return committed
