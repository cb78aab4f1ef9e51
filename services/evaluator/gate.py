"""Before each call to one judge: waits for its turn there, and learns from what came of it."""

import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from services.evaluator.breaker import Breaker
from services.evaluator.calls import Failure, Reply
from services.evaluator.pacing import Call, Ending, Limit
from services.evaluator.rates import Rates
from services.evaluator.slots import Clock, Slots
from shared.telemetry import Metrics
from shared.vocabulary import Lane, Reason

logger = logging.getLogger(__name__)

CHARACTERS_PER_TOKEN = 4
REMEMBERED = 20  # answers, for how long one takes and how many tokens it has
GUESSED_ANSWER_TOKENS = 500  # before there was one
EVERYBODY = 1_000_000
_ENDINGS = {
    Reason.RATE_LIMITED: Ending.REFUSED,
    Reason.PROVIDER_ERROR: Ending.BROKEN,
    Reason.TIMED_OUT: Ending.BROKEN,
    Reason.AUTH_FAILED: Ending.UNCALLED,
    Reason.QUOTA_EXHAUSTED: Ending.UNCALLED,
    Reason.MODEL_UNAVAILABLE: Ending.UNCALLED,
}


class Held:
    """A slot, and what to say of the call made in it. With a `refusal` no call is to be made: it would be in vain."""

    def __init__(self, refusal: Failure | None, at: float = 0.0) -> None:
        self.refusal = refusal
        self.at = at
        self.result: Reply | Failure | None = None

    def heard(self, result: Reply | Failure) -> None:
        """What the call came to, said while the slot is held."""
        self.result = result


class Pace:
    """What one judge is asked at once: by its limit and by the rates; all at once where nobody is asked anyway."""

    def __init__(self, limit: Limit, rates: Rates, breaker: Breaker) -> None:
        self.limit = limit
        self.rates = rates
        self.breaker = breaker

    def allowed(self, now: float) -> int:
        """How many at once, now."""
        if self.breaker.open is not None:
            return 1 if self.breaker.is_on_trial(now) else EVERYBODY
        return self.limit.allowed(now) if self.rates.opens_at(now) <= now else 0

    def opens_at(self, now: float) -> float | None:
        """When it may be more though nothing happens."""
        times = [at for at in (self.limit.opens_at(now), self.rates.opens_at(now)) if at is not None and at > now]
        return min(times, default=None)

    def begins(self, size: int, now: float) -> None:
        """A call of so many tokens is about to begin."""
        self.rates.take(1, size, now)


class Gate:
    """The gate of one judge."""

    def __init__(self, model: str, pace: Pace, pool: Slots, clock: Clock, metrics: Metrics) -> None:
        self.model = model
        self.pace = pace
        self.slots = Slots(pace, clock)
        self._pool = pool
        self._clock = clock
        self._metrics = metrics
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)
        self._answer_tokens: deque[int] = deque([GUESSED_ANSWER_TOKENS], maxlen=REMEMBERED)

    @asynccontextmanager
    async def taken(self, lane: Lane, characters: int) -> AsyncIterator[Held]:
        """Hold a slot for a call of so many characters."""
        if refusal := self.pace.breaker.refusal(self._clock.now()):
            yield self._refused(refusal)
            return
        tokens = characters // CHARACTERS_PER_TOKEN + int(median(self._answer_tokens))
        async with self.slots.taken(lane, tokens):
            if refusal := self.pace.breaker.refusal(self._clock.now()):
                self.pace.rates.take(-1, -tokens, self._clock.now())
                yield self._refused(refusal)
                return
            async with self._pool.taken(lane):
                held, call = Held(None, self._clock.now()), self.pace.limit.begin()
                try:
                    yield held
                finally:
                    self._learn(call, held, tokens)

    @property
    def typical_seconds(self) -> float:
        """How long an answer takes, by the last ones; 0 where there was none."""
        return median(self._seconds) if self._seconds else 0.0

    @property
    def is_at_rest(self) -> bool:
        """Nobody waits or calls, and there is nothing to remember."""
        lanes = self.slots.lanes
        return not lanes.in_flight and not any(lanes.waiting.values()) and self.pace.breaker.open is None

    def close_breaker(self) -> None:
        """It was seen that the judge can be asked again."""
        before = self.pace.breaker.open
        if before is not None and self.pace.breaker.close():
            self._tell_breaker(before.failure, is_open=False)
            self.slots.wake()

    def trouble(self) -> str | None:
        """Why nobody is asked, in words; None if somebody may be."""
        now, found = self._clock.now(), self.pace.breaker.open
        if found is None or now >= found.try_at:
            return None
        reason, detail = found.failure.reason, found.failure.detail
        since, until = now - found.since, found.try_at - now
        return f"{self.model}: {reason} for {since:.0f} s, asked again in {until:.0f} s: {detail}"

    def _refused(self, refusal: Failure) -> Held:
        self._metrics.not_asked.labels(self.model, refusal.reason).inc()
        return Held(refusal)

    def _learn(self, call: Call, held: Held, tokens: int) -> None:
        now, result = self._clock.now(), held.result
        if result is None:
            self.pace.limit.end(call, Ending.UNCALLED, now)
            self.pace.rates.take(-1, -tokens, now)
            return
        if isinstance(result, Reply):
            self._seconds.append(now - held.at)
            self._answer_tokens.append(result.usage.output_tokens)
        self.pace.rates.take(0, result.usage.input_tokens + result.usage.output_tokens - tokens, now)
        self._learn_limit(call, result, now)
        before = self.pace.breaker.open
        if self.pace.breaker.heard(result, now):
            after = self.pace.breaker.open
            changed = after or before
            if changed is not None:
                self._tell_breaker(changed.failure, is_open=after is not None)

    def _learn_limit(self, call: Call, result: Reply | Failure, now: float) -> None:
        limit = self.pace.limit
        ending = Ending.ANSWERED if isinstance(result, Reply) else _ENDINGS.get(result.reason, Ending.ANSWERED)
        limit.heed(result.headroom, now)
        change = limit.end(call, ending, now, result.after if isinstance(result, Failure) else None)
        if change is not None:
            self._metrics.limit_changes.labels(self.model, change.cause).inc()
            logger.info("%s: %d calls at once after %d (%s)", self.model, change.after, change.before, change.cause)

    def _tell_breaker(self, failure: Failure, *, is_open: bool) -> None:
        self._metrics.breaker_open.labels(self.model, failure.reason).set(is_open)
        if is_open:
            logger.warning("%s is not asked for a while: %s, %s", self.model, failure.reason, failure.detail)
        else:
            logger.info("%s is asked again", self.model)
