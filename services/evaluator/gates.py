"""Before each call: a gate per judge, which knows what that judge takes, and one pool for all that share a limit.

A task waits at its judge's gate first and in the pool second, so that a judge that takes nothing holds up no other.
The base URL is the process's own, so a judge is told apart by its model's name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from services.evaluator.breaker import FREE_TO_PROBE, Breaker
from services.evaluator.gate import Gate, Held, Pace
from services.evaluator.pacing import FixedLimit, Limit
from services.evaluator.rates import Bucket, Rates
from services.evaluator.slots import Always, Clock, Slots
from shared.settings import LlmSettings
from shared.telemetry import Metrics
from shared.vocabulary import Lane, Reason

PROBE_SECONDS = 5.0
MOST_REMEMBERED = 100  # judges


class Gates:
    """The gates of all judges that this process asks, and how many calls they have in common."""

    def __init__(self, settings: LlmSettings, clock: Clock, metrics: Metrics) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._default = Slots(Always(settings.default_concurrency), clock)
        self._own = {model: Slots(Always(limit), clock) for model, limit in settings.model_concurrency.items()}
        self._gates: dict[str, Gate] = {}

    def taken(self, model: str, lane: Lane, characters: int = 0) -> AbstractAsyncContextManager[Held]:
        """Hold a slot for a call of so many characters to this model."""
        return self.of(model).taken(lane, characters)

    def typical_seconds(self, model: str) -> float:
        """How long an answer of this model takes; 0 where that is not known."""
        return self.of(model).typical_seconds

    def of(self, model: str) -> Gate:
        """The gate of a judge."""
        found = self._gates.get(model)
        if found is None:
            self._forget()
            found = self._gates[model] = self._new(model)
        return found

    @property
    def most(self) -> int:
        """Calls at once over all pools, at most."""
        return self._settings.default_concurrency + sum(self._settings.model_concurrency.values())

    @property
    def limit(self) -> int:
        """Calls at once over all pools, as the judges take them now."""
        own = sum(self._limit(model, most) for model, most in self._settings.model_concurrency.items())
        others = [gate.pace.limit.limit for model, gate in self._gates.items() if model not in self._own]
        return own + min(self._settings.default_concurrency, sum(others) or self._settings.default_concurrency)

    @property
    def in_flight(self) -> int:
        """Calls right now."""
        return sum(pool.lanes.in_flight for pool in (self._default, *self._own.values()))

    def troubles(self, reasons: frozenset[Reason]) -> Sequence[str]:
        """Which judges nobody asks for one of these reasons, in words."""
        gates = [
            gate
            for gate in self._gates.values()
            if (found := gate.pace.breaker.open) and found.failure.reason in reasons
        ]
        return [trouble for gate in gates if (trouble := gate.trouble())]

    async def probe(self, has: Callable[[str], Awaitable[bool]]) -> None:
        """Close the breakers of the judges that can be used again, as far as that can be seen free of charge."""
        for gate in list(self._gates.values()):
            found = gate.pace.breaker.open
            if found is not None and found.failure.reason in FREE_TO_PROBE and await has(gate.model):
                gate.close_breaker()

    async def keep(self, has: Callable[[str], Awaitable[bool]]) -> None:
        """Probe again and again, until cancelled."""
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            await self.probe(has)

    def _limit(self, model: str, most: int) -> int:
        return self._gates[model].pace.limit.limit if model in self._gates else most

    def _new(self, model: str) -> Gate:
        settings, now = self._settings, self._clock.now()
        most = settings.model_concurrency.get(model, settings.default_concurrency)
        rates = Rates(
            *(
                Bucket(rate, now) if rate else None
                for rate in (settings.requests_per_minute, settings.tokens_per_minute)
            )
        )
        limit = Limit(most) if settings.adaptive else FixedLimit(most)
        pool = self._own.get(model, self._default)
        return Gate(model, Pace(limit, rates, Breaker()), pool, self._clock, self._metrics)

    def _forget(self) -> None:
        """Models are named by requests: a made-up name must not cost memory for ever."""
        if len(self._gates) >= MOST_REMEMBERED:
            self._gates = {model: gate for model, gate in self._gates.items() if not gate.is_at_rest}
