"""Which judgements are the same: the hash of all that one depends on, and what is kept of it under that hash."""

import json
from datetime import datetime
from hashlib import sha256

from services.evaluator.attempts import Attempts
from shared.evaluations import Evaluation, Judge, Score, Trials, Usage, Value
from shared.messages import PROMPT_VERSION, EvaluationTask, PartEvaluated

WHO_AND_WHEN = {"type", "report_id", "part_id", "generation", "lane", "partition", "deadline_at", "judge"}
HOW_LONG = {"timeout_seconds", "cache"}


class Kept(Value):
    """A judgement without the report it was made for; `usage` is what it cost."""

    evaluation: Evaluation
    score: Score | None
    passed: bool | None
    usage: Usage
    trials: Trials | None
    attempts: int
    judge: Judge


def content_key(task: EvaluationTask, judge_url: str) -> str:
    """The hash of what a judgement depends on: which judge is asked what, in which form, and how it is decided.

    Of the task all counts but whose it is and when it is due, so that a field that is added later counts as well.
    """
    attempts = Attempts(task)
    content = {
        "judge": judge_url,
        "options": task.judge.model_dump(mode="json", exclude=HOW_LONG),
        "prompt": [PROMPT_VERSION, *(list(turn) for turn in attempts.turns)],
        "form": [attempts.form.name, dict(attempts.form.schema)],
        "task": task.model_dump(mode="json", exclude=WHO_AND_WHEN),
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def kept_of(outcome: PartEvaluated) -> Kept | None:
    """What is kept of an outcome; None where some of its judgements failed, or it was not paid for itself."""
    if outcome.saved is not None or (outcome.trials and outcome.trials.failed):
        return None
    return Kept.model_validate(outcome, from_attributes=True)


def recalled(task: EvaluationTask, kept: Kept, at: datetime) -> PartEvaluated:
    """The outcome of a task that was judged before: it costs nothing, and says what it saved."""
    return PartEvaluated(
        report_id=task.report_id,
        part_id=task.part_id,
        generation=task.generation,
        evaluation=kept.evaluation,
        score=kept.score,
        passed=kept.passed,
        usage=Usage(),
        saved=kept.usage,
        trials=kept.trials,
        attempts=kept.attempts,
        seconds=0,
        finished_at=at,
        judge=kept.judge,
    )
