"""What a report would take, said before it is started."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.client.orders import NotEstimatedError
from services.estimate import Estimate, estimated, in_words
from services.evaluator.attempts import Attempts
from services.evaluator.forecast import Range, forecast
from shared.messages import ReportRequested
from shared.settings import load
from shared.vocabulary import Kind, Role
from tests.builders import NOON, a_request, a_task


def estimate(**fields: Any) -> Estimate:
    return estimated(a_request(**fields), load(), NOON)


def words(**fields: Any) -> list[str]:
    return list(in_words(estimate(**fields)))


def test_parts_calls_tokens_and_cost_are_said_a_line_each() -> None:
    parts, calls, read, written, cost = words()
    assert parts == "Parts: 2 agents and an overview"
    assert calls == "Calls: 3, if none fails"
    assert read.startswith("Input tokens: about ")
    assert written.startswith("Output tokens: about ")
    assert "USD with gpt-4o-mini, by the price table of " in cost


def test_the_input_is_that_of_the_prompts_that_will_be_sent() -> None:
    task = a_task()
    attempts = Attempts(task)
    sent = sum(len(turn.content) for turn in attempts.turns) + len(json.dumps(dict(attempts.form.schema)))
    low, high = forecast(task).input
    assert sent / 5 < low < sent / 4 < high < sent / 2.9  # a token of English is about four characters


def test_more_evidence_is_more_to_read() -> None:
    runs = [{"run_id": str(number), "output": "It arrives on Monday. " * 50} for number in range(20)]
    few, many = estimate(), estimate(data={"agents": [{"agent_id": "7", "runs": runs}]})
    assert many.total.input.low > 2 * few.total.input.low
    assert many.total.calls == 2


def test_an_overview_judged_after_the_parts_reads_what_will_be_said_of_them() -> None:
    after, beside = estimate(), estimate(options={"overview": "concurrent"})
    assert after.total.input.high - after.total.input.low > beside.total.input.high - beside.total.input.low


def test_each_trial_is_a_call() -> None:
    once, thrice = estimate(), estimate(options={"trials": 3})
    assert thrice.total.calls == 3 * once.total.calls
    assert thrice.total.output == once.total.output.times(3)


def test_an_overview_of_reviews_is_judged_once() -> None:
    assert estimate(kind="reviews", options={"trials": 3}).total.calls == 3 * 3 + 1


def test_a_part_without_data_is_not_judged() -> None:
    found = words(data={"agents": [{"agent_id": "7", "runs": [{"run_id": "1"}]}, {"agent_id": "8"}]})
    assert found[:2] == [
        "Parts: 2 agents and an overview, 1 of them without data and not judged",
        "Calls: 2, if none fails",
    ]


def test_a_judge_without_a_price_is_unpriced_and_not_free() -> None:
    assert words(options={"judge_model": "llama-4"})[-1].startswith("Cost: unpriced, as llama-4 is not in")


def test_a_limit_within_reach_is_said() -> None:
    found = words(options={"token_limit": 100, "cost_limit_usd": 0.0001})
    assert found[-2:] == [
        "The token limit of 100 may end it early",
        "The cost limit of 0.0001 USD may end it early",
    ]
    assert len(words(options={"token_limit": 10_000_000, "cost_limit_usd": 100})) == len(words())


def test_what_a_report_is_compared_with_changes_nothing() -> None:
    assert estimate(options={"baseline": "an-earlier-one"}).total == estimate().total


def test_a_request_that_would_be_rejected_is_not_estimated() -> None:
    with pytest.raises(NotEstimatedError, match="would be rejected: agent_ids: empty"):
        estimate(agent_ids=[])
    with pytest.raises(NotEstimatedError, match="environment_id or data"):
        estimated(ReportRequested(report_id="r", kind=Kind.AGENTS), load(), NOON)


def test_the_longest_answer_to_a_language_cites_its_rows() -> None:
    language, agent = forecast(a_task("en", Role.LANGUAGE, criteria=())), forecast(a_task(criteria=()))
    assert language.output.low > agent.output.low
    assert Range(1, 2).plus(Range(3, 4)) == Range(4, 6)


def test_the_command_prints_it_and_starts_nothing(tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(a_request(data={"agents": [{"agent_id": "7", "runs": [{"run_id": "1"}]}]}).model_dump_json())
    command = [sys.executable, "-m", "services.console", "request", str(request), "--estimate", "--option", "trials=2"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[:2] == ["Parts: 1 agent and an overview", "Calls: 4, if none fails"]
