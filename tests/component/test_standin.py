"""The stand-in judge behaves as OpenAI's SDK and the evaluator expect, also where it is told to misbehave."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion
from pydantic import ValidationError

from services.evaluator.answers import answer_type
from services.evaluator.scoring import InvalidAnswerError, evaluation_of
from services.standalone.opinions import MARK
from services.standalone.ports import free_ports
from shared import lifeline
from shared.evaluations import Evaluation
from tests.unit.standalone.questions import BAD_RUN, GOOD_RUN, Asked, agent, language

CALL = agent("7", GOOD_RUN, BAD_RUN)
LANGUAGE_CALL = language("en", "I love it", "It crashes")


class Judge:
    """The stand-in as a process, and the two ways to talk to it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx2.Client(base_url=self.url)
        self.sdk = OpenAI(base_url=f"{self.url}/v1", api_key="stand-in", max_retries=0)

    def behave(self, **behaviour: object) -> None:
        assert self.http.put("/behaviour", json=behaviour).status_code == 200

    def calls(self) -> Mapping[str, Any]:
        counts: Mapping[str, Any] = self.http.get("/calls").json()
        return counts

    def ask(self, call: Asked = CALL, timeout: float = 10) -> ChatCompletion:
        body = json.loads(call.body)
        done: ChatCompletion = self.sdk.chat.completions.create(**body, store=False, timeout=timeout)
        return done

    def close(self) -> None:
        self.http.close()
        self.sdk.close()

    def is_up(self) -> bool:
        try:
            return self.http.get("/v1/models").status_code == 200
        except httpx2.TransportError:
            return False


@pytest.fixture(scope="module")
def served() -> Iterator[Judge]:
    port = next(free_ports())
    command = lifeline.command(sys.executable, "-m", "services.standalone.standin", "--port", str(port))
    with subprocess.Popen(command) as process:
        judge = Judge(port)
        wait_until(judge.is_up)
        yield judge
        judge.close()
        process.terminate()


@pytest.fixture
def judge(served: Judge) -> Judge:
    served.behave()
    return served


def wait_until(condition: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def evaluated(done: ChatCompletion, call: Asked = CALL) -> Evaluation:
    return evaluation_of(answer_type(call.task).model_validate_json(done.choices[0].message.content or ""), call.task)


@pytest.mark.parametrize("call", [CALL, LANGUAGE_CALL])
def test_an_answer_has_the_form_asked_for_and_real_usage(judge: Judge, call: Asked) -> None:
    done = judge.ask(call)
    evaluated(done, call)
    assert (done.model, done.choices[0].finish_reason) == ("stand-in", "stop")
    assert done.usage
    assert done.usage.prompt_tokens == (len(call.system) + len(call.user)) // 4
    assert done.usage.completion_tokens == len(done.choices[0].message.content or "") // 4
    assert done.usage.prompt_tokens_details
    assert done.usage.prompt_tokens_details.cached_tokens == 0


def test_the_same_question_gets_the_same_answer(judge: Judge) -> None:
    first, second = judge.ask(), judge.ask()
    assert first.choices[0].message.content == second.choices[0].message.content


def test_models_are_listed_and_any_model_is_there(judge: Judge) -> None:
    assert "gpt-4o-mini" in [model.id for model in judge.sdk.models.list()]
    assert judge.sdk.models.retrieve("anything").id == "anything"


def test_a_key_that_is_always_refused_is_shown_no_models_and_a_missing_model_is_not_among_them(judge: Judge) -> None:
    judge.behave(always="auth")
    with pytest.raises(openai.AuthenticationError):
        judge.sdk.models.list()
    judge.behave(always="not_found")
    assert judge.sdk.models.list().data
    with pytest.raises(openai.NotFoundError):
        judge.sdk.models.retrieve("anything")


def test_a_refusal_is_an_answer_without_content(judge: Judge) -> None:
    judge.behave(refuse=["7"])
    message = judge.ask().choices[0].message
    assert message.content is None
    assert message.refusal
    assert message.refusal.startswith(MARK)


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("rate_limited", openai.RateLimitError, "rate_limit_exceeded"),
        ("quota", openai.RateLimitError, "insufficient_quota"),
        ("auth", openai.AuthenticationError, "invalid_api_key"),
        ("not_found", openai.NotFoundError, "model_not_found"),
        ("context_too_long", openai.BadRequestError, "context_length_exceeded"),
        ("server_error", openai.InternalServerError, None),
    ],
)
def test_an_error_is_the_one_the_sdk_knows(
    judge: Judge, fault: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    judge.behave(fail={"7": fault})
    with pytest.raises(error) as raised:
        judge.ask()
    assert raised.value.code == code


def test_only_the_parts_named_fail(judge: Judge) -> None:
    judge.behave(fail={"8": "server_error"})
    evaluated(judge.ask())


@pytest.mark.parametrize(("fault", "reason"), [("truncated", "length"), ("content_filter", "content_filter")])
def test_an_answer_that_is_cut_says_why(judge: Judge, fault: str, reason: str) -> None:
    judge.behave(fail={"7": fault})
    done = judge.ask()
    assert done.choices[0].finish_reason == reason
    with pytest.raises(ValidationError):
        evaluated(done)


@pytest.mark.parametrize("call", [CALL, LANGUAGE_CALL])
@pytest.mark.parametrize("fault", ["invalid_json", "out_of_range"])
def test_a_wrong_answer_is_one_the_evaluator_refuses(judge: Judge, call: Asked, fault: str) -> None:
    judge.behave(fail={call.task.key: fault})
    done = judge.ask(call)
    assert done.choices[0].finish_reason == "stop"
    with pytest.raises((ValidationError, InvalidAnswerError)):
        evaluated(done, call)


def test_a_call_that_times_out_is_not_in_flight_any_more_when_the_client_has_gone(judge: Judge) -> None:
    judge.behave(fail={"7": "timeout"})
    with pytest.raises(openai.APITimeoutError):
        judge.ask(timeout=0.1)
    wait_until(lambda: judge.calls()["in_flight"] == 0)


def test_calls_beyond_the_most_at_once_are_told_when_to_come_again(judge: Judge) -> None:
    judge.behave(latency_seconds=1, max_concurrency=2)
    with ThreadPoolExecutor() as pool:
        accepted = [pool.submit(judge.ask) for _ in range(2)]
        wait_until(lambda: judge.calls()["in_flight"] == 2)
        with pytest.raises(openai.RateLimitError) as raised:
            judge.ask()
        assert raised.value.response.headers["retry-after"] == "1"
        for call in accepted:
            evaluated(call.result())
    assert judge.calls()["most_in_flight"] >= 2


def test_a_share_of_the_calls_fails(judge: Judge) -> None:
    judge.behave(rate_500=0.5, seed=3)
    failed = 0
    for _ in range(40):
        try:
            judge.ask()
        except openai.InternalServerError:
            failed += 1
    assert 8 < failed < 32


def test_calls_are_counted_by_the_part_they_are_about(judge: Judge) -> None:
    before = judge.calls()
    judge.ask(agent("counted", GOOD_RUN))
    judge.ask(agent("counted", GOOD_RUN))
    after = judge.calls()
    assert after["by_key"]["counted"] - before["by_key"].get("counted", 0) == 2
    assert after["total"] - before["total"] == after["answered"] - before["answered"] == 2


def test_another_question_gets_words_that_say_what_it_is(judge: Judge) -> None:
    done = judge.sdk.chat.completions.create(model="x", messages=[{"role": "user", "content": "How are you?"}])
    assert (done.choices[0].message.content or "").startswith(MARK)


@pytest.mark.parametrize("body", [b"{", b'{"model": "x"}', CALL.body.replace(b"Subject: ", b"Object: ")])
def test_a_call_that_cannot_be_read_is_a_bad_request(judge: Judge, body: bytes) -> None:
    response = judge.http.post("/v1/chat/completions", content=body)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


def test_a_behaviour_that_does_not_exist_is_refused_and_changes_nothing(judge: Judge) -> None:
    judge.behave(latency_seconds=0.01)
    assert judge.http.put("/behaviour", json={"fail": {"7": "explodes"}}).status_code == 400
    assert judge.http.get("/behaviour").json()["latency_seconds"] == 0.01
