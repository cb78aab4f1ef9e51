"""What `assay run` and `assay request` ask for, from files and options."""

import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from services.client.orders import Inputs, Order, from_inputs, from_text
from services.client.rows import InputError
from shared.vocabulary import Kind, OverviewMode


def lines(path: Path, *rows: JsonValue) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def body(order: Order) -> JsonValue:
    value: JsonValue = json.loads(order.body)
    return value


def test_runs_are_joined_to_their_agents_and_unnamed_agents_are_made(tmp_path: Path) -> None:
    agents = lines(tmp_path / "agents.jsonl", {"agent_id": 2, "name": "Bob"}, {"agent_id": 1, "name": "Ann"})
    runs = lines(
        tmp_path / "runs.jsonl",
        {"agent_id": 1, "run_id": 10, "output": "x"},
        {"agent_id": 3, "run_id": 11},
        {"agent_id": 1, "run_id": 12},
    )
    order = from_inputs(Inputs(agents=agents, runs=runs), [])
    assert (order.kind, order.environment_id, order.title) == (Kind.AGENTS, "agents", "Agents in agents.jsonl")
    assert order.data
    assert [(agent.agent_id, agent.name, [run.run_id for run in agent.runs]) for agent in order.data.agents or ()] == [
        ("2", "Bob", []),
        ("1", "Ann", ["10", "12"]),
        ("3", None, ["11"]),
    ]


def test_only_what_was_given_is_sent_unknown_fields_of_a_run_too(tmp_path: Path) -> None:
    runs = lines(tmp_path / "runs.jsonl", {"agent_id": "1", "run_id": "10", "channel": "mail", "environment_id": "e"})
    assert body(from_inputs(Inputs(runs=runs), [])) == {
        "kind": "agents",
        "environment_id": "runs",
        "title": "Agents in runs.jsonl",
        "data": {"agents": [{"agent_id": "1", "runs": [{"run_id": "10", "channel": "mail"}]}]},
    }


def test_reviews_are_sent_as_they_are(tmp_path: Path) -> None:
    review: JsonValue = {
        "review_id": 180000000000000001,
        "language": "ar",
        "text": "رائع",
        "label_sentiment": "positive",
    }
    order = from_inputs(Inputs(reviews=lines(tmp_path / "reviews.jsonl", review)), [])
    sent = {"review_id": "180000000000000001", "language": "ar", "text": "رائع", "label_sentiment": "positive"}
    assert body(order) == {
        "kind": "reviews",
        "app_id": "reviews",
        "title": "Reviews in reviews.jsonl",
        "data": {"reviews": [sent]},
    }


def test_options_are_put_on_top_and_get_their_types() -> None:
    text = '{"kind": "agents", "environment_id": "42", "options": {"trials": 2, "judge_model": "a"}}'
    options = ["judge_model=b", "fail_fast=true", "overview=synthesis", "runs_per_agent=5", "cost_limit_usd=null"]
    order = from_text("request", text, [*options, "agent_ids=7,8", 'period={"from": "2026-11-01T00:00:00Z"}'])
    assert (order.options.judge_model, order.options.trials, order.options.fail_fast) == ("b", 2, True)
    assert (order.options.overview, order.runs_per_agent) == (OverviewMode.SYNTHESIS, 5)
    assert order.agent_ids == ("7", "8")
    assert order.period.from_


def test_the_id_of_the_report_can_be_chosen() -> None:
    order = from_text("request", '{"kind": "agents"}', ["report_id=my-report"])
    assert body(order) == {"kind": "agents", "report_id": "my-report"}


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("colour=red", "--option colour: unknown; known are judge_model, "),
        ("kind=reviews", "--option kind: unknown"),
        ("judge_model", "--option judge_model: write KEY=VALUE"),
        ("trials=many", "options.trials: Input should be a valid integer"),
        ("runs_per_agent=0", "runs_per_agent: Input should be greater than or equal to 1"),
        ("period={", "--option period: Expecting"),
    ],
)
def test_a_wrong_option_is_refused_in_words(option: str, complaint: str) -> None:
    with pytest.raises(InputError) as raised:
        from_text("request", '{"kind": "agents"}', [option])
    assert complaint in str(raised.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"kind": "weather"}', '{"kind": "agents", "report_id": "a/b"}'])
def test_a_wrong_request_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InputError, match=r"^my-request: "):
        from_text("my-request", text, [])


def test_one_input_is_wanted_not_none_and_not_two(tmp_path: Path) -> None:
    request = lines(tmp_path / "request.json", {"kind": "agents"})
    for inputs in (Inputs(), Inputs(request=request, runs=request), Inputs(agents=request, reviews=request)):
        with pytest.raises(InputError, match="name one input"):
            from_inputs(inputs, [])


def test_bad_lines_are_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(b'{"review_id": "1", "language": "en", "text": "ok"}\n\n{"a": NaN}\n[1]\n\xff\n{')
    with pytest.raises(InputError) as raised:
        from_inputs(Inputs(reviews=path), [])
    assert [line.partition(": ")[0] for line in str(raised.value).splitlines()] == [f"{path}:{n}" for n in (3, 4, 5, 6)]


def test_lines_that_do_not_fit_are_named_with_the_field(tmp_path: Path) -> None:
    path = lines(tmp_path / "reviews.jsonl", {"review_id": "1", "language": "en"})
    with pytest.raises(InputError, match=r"reviews.jsonl:1: text: Field required"):
        from_inputs(Inputs(reviews=path), [])


def test_of_many_problems_the_first_are_named(tmp_path: Path) -> None:
    rows: list[JsonValue] = [{"run_id": str(number)} for number in range(15)]
    path = lines(tmp_path / "runs.jsonl", *rows)
    with pytest.raises(InputError) as raised:
        from_inputs(Inputs(runs=path), [])
    assert str(raised.value).splitlines()[-1] == "and 5 more"


def test_an_agent_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = lines(tmp_path / "agents.jsonl", {"agent_id": "1"}, {"agent_id": 1})
    with pytest.raises(InputError, match=r"agents.jsonl:2: an agent of this agent_id stands above already"):
        from_inputs(Inputs(agents=path), [])
