"""Looks for a part's judgement among earlier ones before it is paid for, where its request allows that."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from pydantic import ValidationError

from services.evaluator.cache import Kept, content_key, kept_of, recalled
from services.evaluator.claims import OutcomeOf, Permission
from shared.coalescing import Coalesced
from shared.evaluations import Usage
from shared.messages import EvaluationTask, Outcome, PartEvaluated
from shared.state import Claim
from shared.store import StoreUnavailableError
from shared.telemetry import Metrics

logger = logging.getLogger(__name__)


class Judgements(Protocol):
    """Where judgements are kept."""

    async def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The judgements of these keys, as far as there are any."""

    async def keep(self, key: str, body: str, expires_at: datetime) -> None:
        """Store one until then."""


class _Found(NamedTuple):
    """What was found under a key."""

    kept: Kept | None


class Memory:
    """One evaluator's memory. It saves money only: while the database is away, everything is judged."""

    def __init__(
        self,
        judgements: Judgements,
        *,
        judge_url: str,
        retention: timedelta,
        utc: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._judgements = judgements
        self._judge_url = judge_url
        self._retention = retention
        self._utc = utc
        self._metrics = metrics
        self._find = Coalesced(self._find_all)

    def remembered(self, outcome_of: OutcomeOf) -> OutcomeOf:
        """The same, but for tasks that may be answered from memory."""

        async def judge(task: EvaluationTask, claim: Claim) -> Outcome | Permission:
            if not task.judge.cache:
                return await outcome_of(task, claim)
            key = content_key(task, self._judge_url)
            kept = await self._recall(key)
            if kept is not None:
                self._saved(kept.usage)
                return recalled(task, kept, self._utc())
            outcome = await outcome_of(task, claim)
            if isinstance(outcome, PartEvaluated):
                await self._keep(key, outcome)
            return outcome

        return judge

    async def _recall(self, key: str) -> Kept | None:
        try:
            found = await self._find(key)
        except StoreUnavailableError as error:
            logger.warning("nothing is remembered while the database is away: %r", error)
            found = _Found(None)
        self._metrics.cache.labels("hit" if found.kept else "miss").inc()
        return found.kept

    async def _find_all(self, keys: Sequence[str]) -> Sequence[_Found]:
        bodies = await self._judgements.find(keys)
        return [_Found(_read(bodies.get(key))) for key in keys]

    async def _keep(self, key: str, outcome: PartEvaluated) -> None:
        kept = kept_of(outcome)
        if kept is None:
            return
        try:
            await self._judgements.keep(key, kept.model_dump_json(), self._utc() + self._retention)
        except StoreUnavailableError as error:
            logger.warning("a judgement is not remembered: %r", error)

    def _saved(self, usage: Usage) -> None:
        model = usage.model or ""
        self._metrics.saved_tokens.labels(model, "input").inc(usage.input_tokens)
        self._metrics.saved_tokens.labels(model, "output").inc(usage.output_tokens)
        self._metrics.saved_cost.labels(model).inc(usage.cost_usd or 0.0)


def _read(body: str | None) -> Kept | None:
    """None as well for what another release has written and this one cannot read."""
    try:
        return Kept.model_validate_json(body) if body is not None else None
    except ValidationError:
        return None
