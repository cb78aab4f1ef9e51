"""The conversation with the judge about one task: what is said next, what an answer is worth, how much time is left."""

from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from services.evaluator.answers import AnyAnswer, answer_schema, answer_type
from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.pricing import Bill
from services.evaluator.prompts import build
from services.evaluator.scoring import InvalidAnswerError, Verdict, evaluation_of, verdict
from shared.evaluations import AgentEvaluation, Evaluation, OverviewEvaluation
from shared.messages import EvaluationTask
from shared.vocabulary import Reason

LONGEST_BACKOFF_SECONDS = 60.0
MOST_DOUBLINGS = 20
RAW_CHARACTERS = 2_000  # of an invalid answer, kept for the reader


class Judged(NamedTuple):
    """An answer that holds: what it says of the part, and the verdict computed from it."""

    evaluation: Evaluation
    verdict: Verdict
    model: str


class Attempts:
    """The conversation about one task so far, what it cost, and when it must end."""

    def __init__(self, task: EvaluationTask) -> None:
        prompt = build(task)
        self.task = task
        self.answer = answer_type(task)
        schema = answer_schema(self.answer, tuple(item.name for item in task.criteria))
        self.form = Form(self.answer.__name__, schema, task.judge.parameters)
        self.turns = [Turn("system", prompt.system), Turn("user", prompt.user)]
        self.bill = Bill()
        self.count = 0
        self.began_at: float | None = None
        self.give_up_at = 0.0
        self.last: Failure | None = None
        self.first_failed_at: datetime | None = None
        self._refused = 0
        self._repaired = False
        self._deadline_first = False

    @property
    def characters(self) -> int:
        """The length of all that is said to the judge."""
        return sum(len(turn.content) for turn in self.turns)

    @property
    def tries(self) -> int:
        """The attempts that count against the most there may be: a call refused by a 429 was none."""
        return self.count - self._refused

    def backoff(self, failure: Failure, first_seconds: float, dice: float) -> float:
        """Seconds before the next attempt: what the judge asked for, else full jitter; `dice` is between 0 and 1.

        Calls refused by a 429 and those that failed otherwise have a backoff each.
        """
        if failure.reason is Reason.INVALID_OUTPUT:
            return 0.0  # the judge was told what is wrong: nothing to wait for
        if failure.after is not None:
            return failure.after
        before = self._refused if failure.reason is Reason.RATE_LIMITED else self.tries
        return dice * min(first_seconds * 2.0 ** min(before - 1, MOST_DOUBLINGS), LONGEST_BACKOFF_SECONDS)

    def start(self, now: float, until_deadline: float, typical_seconds: float = 0.0) -> float:
        """Begin an attempt; returns the seconds left for it, none if there is to be no attempt.

        The part's time begins with its first call. A further one that could not end in time does not begin.
        """
        if self.began_at is None:
            self.began_at = now
            self.give_up_at = now + min(self.task.judge.timeout_seconds, until_deadline)
            self._deadline_first = until_deadline < self.task.judge.timeout_seconds
        elif not self.could_end(now, typical_seconds):
            return 0.0
        left = self.give_up_at - now
        self.count += left > 0
        return left

    def could_end(self, begins: float, typical_seconds: float) -> bool:
        """Whether a call that begins then and takes as long as the last ones did would end in the part's time."""
        return begins < self.give_up_at and begins + typical_seconds <= self.give_up_at

    def cut_short(self, failure: Failure, now: float) -> Failure:
        """A call that ran out of time because the report's did is no fault of the judge."""
        if failure.reason is Reason.TIMED_OUT and self._deadline_first and now >= self.give_up_at:
            return Failure(Reason.DEADLINE_PASSED, "the report's deadline passed during the call", again=False)
        return failure

    def read(self, reply: Reply | Failure, at: datetime) -> Judged | Failure:
        """The evaluation in a reply, or what is wrong with it."""
        self.bill = self.bill.plus(reply.usage) if reply.usage.model else self.bill
        result = self._checked(reply) if isinstance(reply, Reply) else reply
        if isinstance(result, Failure):
            self._refused += result.reason is Reason.RATE_LIMITED
            self.last = result
            self.first_failed_at = self.first_failed_at or at
        return result

    def _checked(self, reply: Reply) -> Judged | Failure:
        try:
            answer: AnyAnswer = self.answer.model_validate_json(reply.text)
            evaluation = evaluation_of(answer, self.task)
        except (ValidationError, InvalidAnswerError) as error:
            return self._invalid(reply, _words(error))
        scores = evaluation.criteria if isinstance(evaluation, AgentEvaluation | OverviewEvaluation) else ()
        return Judged(evaluation, verdict(self.task.criteria, scores), reply.model)

    def _invalid(self, reply: Reply, trouble: str) -> Failure:
        """The first time the judge is told and asked once more; the second time is the last."""
        again = not self._repaired
        self._repaired = True
        self.turns += [
            Turn("assistant", reply.text),
            Turn("user", f"That answer cannot be used: {trouble}. Give the whole answer again, corrected."),
        ]
        detail = f"{trouble}; the answer was: {reply.text[:RAW_CHARACTERS]}"
        return Failure(Reason.INVALID_OUTPUT, detail, again=again)


def _words(error: ValidationError | InvalidAnswerError) -> str:
    if isinstance(error, InvalidAnswerError):
        return str(error)
    problems = error.errors(include_input=False, include_url=False)[:5]
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'answer'}: {item['msg']}" for item in problems)
