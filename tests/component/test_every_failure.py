"""Every way in which judging a part can fail: from the HTTP answers, through the real SDK, to the row in the workbook.

Time is the evaluator's own, which moves when it waits: what is asserted is how long it waited and how often it asked.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import httpx2
import pytest

from services.evaluator.calls import Failure, Form, Reply, Turn
from services.evaluator.judge import Judge
from services.renderer.layout.book import book
from services.renderer.transitions import failed
from shared.messages import PartEvaluated, PartFailed
from shared.vocabulary import Reason
from tests.builders import a_part, a_plan, a_report, a_task, at
from tests.judges import a_judge, completion, error
from tests.unit.evaluator.replies import an_agent_answer
from tests.unit.evaluator.rooms import AnEvaluator

GOOD = completion(message={"content": an_agent_answer().model_dump_json()})
BROKEN = completion(message={"content": '{"reasoning": "It answers."}'})
CALL_SECONDS = 10.0


class Answer(NamedTuple):
    """What the judge's server says once."""

    status: int = 200
    body: Mapping[str, Any] | str | type[Exception] = GOOD
    headers: Mapping[str, str] = {}  # read only, as the whole tuple


class Case(NamedTuple):
    """What a server says, the last of it for ever, and what comes of it. `waits` are the seconds before each retry."""

    answers: Sequence[Answer]
    reason: Reason | None
    attempts: int
    waits: Sequence[float] = ()
    message: str = ""
    at_the_door: float = 0.0  # where others would be refused as well


LIMITED = Answer(429, error("rate_limit_exceeded"), {"retry-after": "100"})
BACKOFFS = (0.5, 1.0, 2.0, 4.0)  # half of 1, 2, 4, 8: chance says a half
CASES = {
    "limited for ever": Case([LIMITED], Reason.RATE_LIMITED, 3, (100, 100), "No."),
    "limited once": Case([LIMITED, Answer()], None, 2, (100,)),
    "limited for longer than the part has": Case(
        [Answer(429, error(), {"retry-after": "291"})], Reason.RATE_LIMITED, 1, (), "No."
    ),
    "limited until a date": Case(
        [Answer(429, error(), {"retry-after": "Tue, 24 Nov 2026 12:00:07 GMT"}), Answer()], None, 2, (7,)
    ),
    "limited by tokens": Case(
        [Answer(429, error(), {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20s"}), Answer()],
        None,
        2,
        (20,),
    ),
    "limited without a word": Case([Answer(429, error()), Answer()], None, 2, (0.5,), at_the_door=0.5),
    "errors for ever": Case([Answer(500, error())], Reason.PROVIDER_ERROR, 5, BACKOFFS, "No."),
    "errors twice": Case([Answer(500, error()), Answer(503, "<html>"), Answer()], None, 3, BACKOFFS[:2]),
    "a proxy's page": Case([Answer(200, "<html>Hello")], Reason.PROVIDER_ERROR, 5, BACKOFFS, "not a chat completion"),
    "no connection": Case([Answer(body=httpx2.ConnectError)], Reason.PROVIDER_ERROR, 5, BACKOFFS, "no connection"),
    "silence": Case([Answer(body=httpx2.ReadTimeout)], Reason.TIMED_OUT, 5, BACKOFFS, "timed out"),
    "a bad request": Case([Answer(400, error("invalid_value"))], Reason.PROVIDER_ERROR, 1, (), "No."),
    "a key that is refused": Case([Answer(401, error("invalid_api_key"))], Reason.AUTH_FAILED, 1, (), "No."),
    "a forbidden model": Case([Answer(403, error())], Reason.AUTH_FAILED, 1, (), "No."),
    "no credit": Case([Answer(429, error("insufficient_quota"))], Reason.QUOTA_EXHAUSTED, 1, (), "No."),
    "no such model": Case([Answer(404, error("model_not_found"))], Reason.MODEL_UNAVAILABLE, 1, (), "No."),
    "too long": Case([Answer(400, error("context_length_exceeded"))], Reason.CONTEXT_TOO_LONG, 1, (), "No."),
    "a refusal": Case([Answer(body=completion(message={"refusal": "I cannot."}))], Reason.REFUSED, 1, (), "I cannot."),
    "a filter": Case(
        [Answer(body=completion(finish_reason="content_filter"))], Reason.REFUSED, 1, (), "content filter"
    ),
    "cut off": Case([Answer(body=completion(finish_reason="length"))], Reason.TRUNCATED, 1, (), "cut off"),
    "invalid once": Case([Answer(body=BROKEN), Answer()], None, 2, (0,)),
    "invalid twice": Case([Answer(body=BROKEN)], Reason.INVALID_OUTPUT, 2, (0,), '{"reasoning": "It answers."}'),
    "an error, then a refusal": Case(
        [Answer(500, error()), Answer(body=completion(message={"refusal": "I cannot."}))],
        Reason.REFUSED,
        2,
        (0.5,),
        "I cannot.",
    ),
}


class TimedJudge:
    """The real judge's module, each of whose calls takes ten seconds of the evaluator's time."""

    def __init__(self, judge: Judge) -> None:
        self.room: AnEvaluator | None = None
        self._judge = judge

    async def ask(self, model: str, turns: Sequence[Turn], form: Form, timeout_seconds: float) -> Reply | Failure:
        said = await self._judge.ask(model, turns, form, timeout_seconds)
        assert self.room is not None
        self.room.seconds += CALL_SECONDS
        return said


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_every_failure_has_its_reason_its_retries_its_time_and_its_row(case: Case) -> None:
    served = serving(case.answers)
    async with a_judge(served.answer) as judge:
        timed = TimedJudge(judge)
        room = timed.room = AnEvaluator(judge=timed)
        outcome = await room.outcome(a_task())
    assert outcome.attempts == served.count == case.attempts
    assert room.slept == list(case.waits)
    assert outcome.seconds == case.attempts * CALL_SECONDS + sum(case.waits) + case.at_the_door
    assert [(delay.reason, delay.attempts) for delay in room.delays] == announced(case)
    if case.reason is None:
        assert isinstance(outcome, PartEvaluated)
        return
    assert isinstance(outcome, PartFailed)
    row = row_of(outcome)
    assert (row["Reason"], row["Attempts"]) == (case.reason.replace("_", " "), case.attempts)
    assert case.message in str(row["Message"])
    assert row["What to do"] == case.reason.what_to_do
    assert row["Retryable"] == ("yes" if case.reason.is_retryable else "no")
    assert row["Seconds"] == outcome.seconds


def test_every_reason_that_the_judge_can_give_is_in_the_table() -> None:
    not_the_judges = {"no_data", "deadline_passed", "budget_exhausted", "cancelled", "internal"}
    assert {case.reason for case in CASES.values() if case.reason} == set(Reason) - {
        Reason(name) for name in not_the_judges
    }


def announced(case: Case) -> list[tuple[Reason, int]]:
    """What is said of waits of a second or more: why, and after how many attempts."""
    reason = Reason.PROVIDER_ERROR if case.reason in {None, Reason.REFUSED} else case.reason
    if case.answers[0].status == LIMITED.status:
        reason = Reason.RATE_LIMITED
    assert reason is not None
    return [(reason, number) for number, wait in enumerate(case.waits, 1) if wait >= 1]


class Served:
    """A server that says one answer after the other, the last one for ever."""

    def __init__(self, answers: Iterator[Answer], last: Answer) -> None:
        self.count = 0
        self._answers = answers
        self._last = last

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.count += 1
        said = next(self._answers, self._last)
        if isinstance(said.body, type):
            raise said.body("timed out", request=request)  # type: ignore[call-arg]  # one of httpx2's
        text = said.body if isinstance(said.body, str) else json.dumps(said.body)
        return httpx2.Response(said.status, text=text, headers=dict(said.headers))


def serving(answers: Sequence[Answer]) -> Served:
    return Served(iter(answers), answers[-1])


def row_of(outcome: PartFailed) -> dict[str, Any]:
    """The part's row in the sheet of failures."""
    part = failed(a_part(), outcome)
    laid = book(a_plan(pieces=1, accepted_at=at(0)), a_report([part]), [part])
    sheet = next(found for found in laid.before if found.name == "Failures")
    assert sheet.header_row is not None
    headers = [str(cell.value) for cell in sheet.rows[sheet.header_row - 1]]
    return dict(zip(headers, (cell.value for cell in sheet.rows[sheet.header_row]), strict=True))
