"""Publishes accepted requests again until the renderer has their reports: what got a 202 outlives a lost broker."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from services.gateway.ports import Publisher, Reports, Requests

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
MOST_PER_LOOK = 50
LONGEST_WAIT = timedelta(minutes=5)


class Outbox:
    """Several gateways may do this at once: a request published twice has no second effect."""

    def __init__(
        self, *, reports: Reports, requests: Requests, publisher: Publisher, clock: Callable[[], datetime]
    ) -> None:
        self._reports = reports
        self._requests = requests
        self._publisher = publisher
        self._clock = clock

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Settle what has arrived; publish the rest again, each the later the longer it has been waiting."""
        now = self._clock()
        due = [request async for request in self._requests.unsettled(now, MOST_PER_LOOK)]
        if not due:
            return
        known = await self._reports.existing([request.report_id for request in due])
        if known:
            await self._requests.settle(sorted(known))
        for request in due:
            if request.report_id in known:
                continue
            logger.warning("%s was accepted at %s and is published again", request.report_id, request.accepted_at)
            if not await self._publisher.publish(request.report_id, request.body):
                return  # the broker is away for all of them; they stay due
            wait = min(now - request.accepted_at, LONGEST_WAIT)
            await self._requests.postpone(request.report_id, now + wait)
