"""What the room does with a task: claim it, ask the judge until there is an outcome or no time left, publish that."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, assert_never

from services.evaluator.attempts import Attempts, Judged
from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.claims import Claimed, Done, Ended, Leased, Mine, OutcomeOf, Permission
from services.evaluator.told import tell
from shared.chassis.dead_letters import RetryLaterError
from shared.chassis.traces import span
from shared.evaluations import Judge
from shared.messages import (
    PROMPT_VERSION,
    SCHEMA_VERSION,
    EvaluationTask,
    Outcome,
    PartDelayed,
    PartEvaluated,
    PartFailed,
)
from shared.settings import LlmSettings
from shared.state import Claim
from shared.telemetry import Metrics
from shared.vocabulary import Lane, Reason

WORTH_SAYING_SECONDS = 1.0  # a shorter wait for the next attempt is not announced


class AsksJudge(Protocol):
    """The judge."""

    async def ask(self, model: str, turns: Sequence[Turn], form: Form, timeout_seconds: float) -> Reply | Failure:
        """One attempt."""


class Announce(Protocol):
    """How the renderer is told."""

    async def event(self, event: Outcome | PartDelayed) -> None:
        """Publish an event about a part."""

    async def outcome(self, report_id: str, outcome: Done) -> None:
        """Publish a stored outcome."""


class KeepsLedger(Protocol):
    """Who judges what, and what has been judged."""

    async def claim(self, task: EvaluationTask) -> Claimed:
        """What is to be done about a task."""

    def permission(self, claim: Claim) -> Permission:
        """Asked before each call."""

    async def settle(self, claim: Claim, outcome: Outcome) -> Done:
        """Store an outcome; returns the one that holds."""

    def let_go(self, claim: Claim) -> None:
        """Keep the claim no longer."""


class HeldSlot(Protocol):
    """A slot for one call. With a `refusal` no call is to be made: it would be in vain."""

    @property
    def refusal(self) -> Failure | None:
        """What the part fails with instead."""

    def heard(self, result: Reply | Failure) -> None:
        """What the call came to, said while the slot is held."""


class KeepsPace(Protocol):
    """When the judge is asked, and how long it takes."""

    def taken(self, model: str, lane: Lane, characters: int) -> AbstractAsyncContextManager[HeldSlot]:
        """Wait for a slot and hold it, for a call of so many characters."""

    def typical_seconds(self, model: str) -> float:
        """How long an answer takes; 0 where that is not known."""


class Now(NamedTuple):
    """The clocks and the dice, so that tests can hold them still: UTC, seconds that only go forward, 0 to 1."""

    utc: Callable[[], datetime]
    monotonic: Callable[[], float]
    random: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Handlers:
    """One evaluator's handling of tasks."""

    def __init__(
        self,
        *,
        judge: AsksJudge,
        pace: KeepsPace,
        ledger: KeepsLedger,
        announce: Announce,
        settings: LlmSettings,
        now: Now,
        metrics: Metrics,
        prices: str = "",
        around: Callable[[OutcomeOf], OutcomeOf] = lambda outcome_of: outcome_of,
    ) -> None:
        self._judge = judge
        self._pace = pace
        self._ledger = ledger
        self._announce = announce
        self._settings = settings
        self._now = now
        self._metrics = metrics
        self._outcome_of = around(self.outcome_of)  # what is done about a part beside judging it once
        self._prices = prices  # the edition that costs are reckoned by

    async def on_task(self, task: EvaluationTask) -> None:
        """Judge the part and publish its outcome, unless another did, is at it, or nobody waits for it any more.

        Raises RetryLaterError where the task has to wait for somebody else's claim.
        """
        match await self._ledger.claim(task):
            case Mine(claim):
                try:
                    await self._judge_once(task, claim)
                finally:
                    self._ledger.let_go(claim)  # whatever went wrong: a claim that is not kept lapses
            case Done() as done:
                self._metrics.tasks_dropped.labels("done").inc()
                await self._announce.outcome(task.report_id, done)
            case Leased(seconds):
                raise RetryLaterError(seconds)
            case Ended():
                self._metrics.tasks_dropped.labels("ended").inc()
            case never:
                assert_never(never)

    async def _judge_once(self, task: EvaluationTask, claim: Claim) -> None:
        outcome = await self._outcome_of(task, claim)
        match outcome:
            case Permission.LEAVING | Permission.LAPSED:
                raise RetryLaterError(0)
            case Permission():
                self._metrics.tasks_dropped.labels("ended").inc()
            case _:
                self._metrics.part_seconds.labels(task.role).observe(outcome.seconds)
                tell(outcome)
                await self._announce.outcome(task.report_id, await self._ledger.settle(claim, outcome))

    async def outcome_of(self, task: EvaluationTask, claim: Claim) -> Outcome | Permission:
        """The part's outcome, after as many attempts as its time allows; or why no further call is permitted."""
        attempts = Attempts(task)
        model = task.judge.model
        while True:
            async with self._pace.taken(model, task.lane, attempts.characters) as slot:
                permission = self._ledger.permission(claim)
                if permission is Permission.EXHAUSTED:
                    return self._failed(attempts, _exhausted(attempts.last))
                if permission is not Permission.GRANTED:
                    return permission
                if slot.refusal is not None:
                    return self._failed(attempts, slot.refusal)
                left = attempts.start(
                    self._now.monotonic(),
                    (task.deadline_at - self._now.utc()).total_seconds(),
                    self._pace.typical_seconds(model),
                )
                if left <= 0:
                    return self._out_of_time(attempts)
                reply = await self._ask(attempts, left)
                slot.heard(reply)
            result = attempts.read(reply, self._now.utc())
            if not isinstance(result, Failure):
                return self._evaluated(attempts, result)
            delay = self._delay(attempts, result)
            if delay is None:
                return self._failed(attempts, attempts.cut_short(result, self._now.monotonic()))
            await self._wait(attempts, result, delay)

    async def _ask(self, attempts: Attempts, left: float) -> Reply | Failure:
        model = attempts.task.judge.model
        limit = min(left, self._settings.attempt_timeout_seconds)
        began = self._now.monotonic()
        with self._metrics.in_flight.track_inprogress(), span("judge", model=model) as asked:
            reply = await self._judge.ask(model, attempts.turns, attempts.form, limit)
            asked.note(result=reply.reason.value if isinstance(reply, Failure) else "answered")
        self._metrics.judge_seconds.labels(model).observe(self._now.monotonic() - began)
        self._metrics.judge_attempts.labels(model, reply.reason if isinstance(reply, Failure) else "answered").inc()
        self._metrics.judge_tokens.labels(model, "input").inc(reply.usage.input_tokens)
        self._metrics.judge_tokens.labels(model, "output").inc(reply.usage.output_tokens)
        self._metrics.judge_cost.labels(model).inc(reply.usage.cost_usd or 0.0)
        return reply

    def _delay(self, attempts: Attempts, failure: Failure) -> float | None:
        """Seconds until the next attempt; None if there is to be none, or it could not begin in time."""
        if not failure.again or attempts.tries >= self._settings.max_attempts:
            return None
        delay = attempts.backoff(failure, self._settings.backoff_seconds, self._now.random())
        begins = self._now.monotonic() + delay
        return delay if attempts.could_end(begins, self._pace.typical_seconds(attempts.task.judge.model)) else None

    async def _wait(self, attempts: Attempts, failure: Failure, delay: float) -> None:
        self._metrics.judge_retries.labels(failure.reason).inc()
        if delay >= WORTH_SAYING_SECONDS:
            await self._announce.event(
                PartDelayed(
                    report_id=attempts.task.report_id,
                    part_id=attempts.task.part_id,
                    generation=attempts.task.generation,
                    reason=failure.reason,
                    attempts=attempts.count,
                    retry_at=self._now.utc() + timedelta(seconds=delay),
                )
            )
        await self._now.sleep(delay)

    def _out_of_time(self, attempts: Attempts) -> PartFailed:
        if attempts.last is not None:
            return self._failed(attempts, attempts.last)
        late = Failure(Reason.DEADLINE_PASSED, "the report's deadline passed before this part was judged", again=False)
        return self._failed(attempts, late)

    def _evaluated(self, attempts: Attempts, done: Judged) -> PartEvaluated:
        task = attempts.task
        return PartEvaluated(
            report_id=task.report_id,
            part_id=task.part_id,
            generation=task.generation,
            evaluation=done.evaluation,
            score=done.verdict.score,
            passed=done.verdict.passed,
            usage=attempts.bill.usage,
            attempts=attempts.count,
            seconds=self._seconds(attempts),
            finished_at=self._now.utc(),
            judge=Judge(
                model=done.model,
                prompt_version=PROMPT_VERSION,
                schema_version=SCHEMA_VERSION,
                parameters=task.judge.parameters,
                prices=self._prices,
            ),
        )

    def _failed(self, attempts: Attempts, failure: Failure) -> PartFailed:
        task = attempts.task
        return PartFailed(
            report_id=task.report_id,
            part_id=task.part_id,
            generation=task.generation,
            reason=failure.reason,
            detail=failure.detail,
            attempts=attempts.count,
            retryable=failure.reason.is_retryable,
            usage=attempts.bill.usage,
            seconds=self._seconds(attempts),
            first_failed_at=attempts.first_failed_at,
            finished_at=self._now.utc(),
        )

    def _seconds(self, attempts: Attempts) -> float:
        began = attempts.began_at
        return round(self._now.monotonic() - began, 3) if began is not None else 0.0


def _exhausted(last: Failure | None) -> Failure:
    """No call is left to be made: the report has reached its limit."""
    before = f"; the last attempt ended as {last.reason}: {last.detail}" if last else ""
    return Failure(Reason.BUDGET_EXHAUSTED, f"the report's cost or token limit was reached{before}", again=False)
