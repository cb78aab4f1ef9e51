"""What judging a task is likely to take, before anybody is asked: calls, and tokens in and out as ranges.

The ranges are wide on purpose: docs/decisions/0019 says what they were measured on.
"""

import json
from math import ceil
from typing import NamedTuple

from services.evaluator.attempts import Attempts
from services.evaluator.trials import trials_of
from shared.messages import EvaluationTask
from shared.vocabulary import Role

BYTES_PER_TOKEN_AT_MOST, BYTES_PER_TOKEN_AT_LEAST = 4.5, 3.0  # of UTF-8 in eight languages and in agents' runs
SENTENCE_TOKENS, PARAGRAPH_TOKENS = 20, 150
POINT_TOKENS = 30
MOST_POINTS = 6  # in a list
ROW_TOKENS = 3  # a row's number and its comma
CITED_AT_MOST = 4  # how often one row is cited in an answer
TEXTS = {Role.AGENT: 1, Role.LANGUAGE: 1, Role.OVERVIEW: 2}  # in an answer: beside one for each criterion
LISTS = {Role.AGENT: 3, Role.LANGUAGE: 4, Role.OVERVIEW: 2}


class Range(NamedTuple):
    """From … to, both possible."""

    low: int = 0
    high: int = 0

    def plus(self, other: "Range") -> "Range":
        """Both together."""
        return Range(self.low + other.low, self.high + other.high)

    def times(self, count: int) -> "Range":
        """So often."""
        return Range(self.low * count, self.high * count)


class Forecast(NamedTuple):
    """Calls if none fails, and the tokens of all of them."""

    calls: int = 0
    input: Range = Range()
    output: Range = Range()

    def plus(self, other: "Forecast") -> "Forecast":
        """Both together."""
        return Forecast(self.calls + other.calls, self.input.plus(other.input), self.output.plus(other.output))


def forecast(task: EvaluationTask, *, more_bytes: int = 0) -> Forecast:
    """What a task is likely to take; up to `more_bytes` of evidence may still be added to it."""
    attempts = Attempts(task)
    said = sum(len(turn.content.encode("utf-8", "surrogatepass")) for turn in attempts.turns)
    size = said + len(json.dumps(dict(attempts.form.schema)))
    tokens = Range(int(size / BYTES_PER_TOKEN_AT_MOST), ceil((size + more_bytes) / BYTES_PER_TOKEN_AT_LEAST))
    trials = trials_of(task)
    return Forecast(trials, tokens.times(trials), _answer(task).times(trials))


def _answer(task: EvaluationTask) -> Range:
    """From a sentence for each text and empty lists to paragraphs and full lists that cite every row."""
    texts = TEXTS[task.role] + len(task.criteria)
    rows = sum(len(group.rows) for group in task.evidence) if task.role is not Role.OVERVIEW else 0
    low = texts * SENTENCE_TOKENS + (rows * ROW_TOKENS if task.role is Role.LANGUAGE else 0)
    lists = LISTS[task.role] * MOST_POINTS * POINT_TOKENS
    return Range(low, texts * PARAGRAPH_TOKENS + lists + rows * CITED_AT_MOST * ROW_TOKENS)
