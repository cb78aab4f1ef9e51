"""What a request amounts to: its content, deadline, lane, period, criteria and objections."""

from typing import Any

import pytest

from services.orchestrator.objections import bad_keys, objections
from services.orchestrator.pieces import Piece
from services.orchestrator.planning import (
    AGENT_CRITERIA,
    TEAM_CRITERIA,
    Settled,
    content_sha256,
    first_deadline,
    overview_is_concurrent,
    overview_part,
    piece_part,
    plan_of,
    planned_event,
    settle,
    task_of,
)
from shared.evaluations import EvidenceGroup
from shared.messages import Options, ReportRequested
from shared.pricing import packaged_prices
from shared.vocabulary import Lane, Role
from tests.builders import NOON, REPORT_ID, a_plan, a_request, at

PRICES = packaged_prices()
KINDLY = {"name": "kindness", "weight": 2, "threshold": 5}


def settled(pieces: int = 3, **fields: Any) -> Settled:
    return settle(a_request(**fields), NOON, pieces, bulk_parts=50, partitions=24)


def agent(key: str, settled_: Settled | None = None, **fields: Any) -> tuple[str, ...]:
    part = piece_part(settled_ or settled(**fields), 0, Piece(key, key), EvidenceGroup(key=key, name=key))
    return tuple(criterion.name for criterion in part.criteria)


# --- content


def test_the_same_fields_have_the_same_hash() -> None:
    assert content_sha256(a_request(title="T")) == content_sha256(a_request(title="T"))


@pytest.mark.parametrize(
    "change",
    [{"title": "U"}, {"runs_per_agent": 20}, {"options": {}}, {"metadata": {"a": 1}}, {"kind": "reviews"}],
    ids=lambda change: next(iter(change)),
)
def test_a_field_that_differs_or_was_only_sent_this_time_makes_other_content(change: dict[str, Any]) -> None:
    assert content_sha256(a_request(title="T")) != content_sha256(a_request(**{"title": "T", **change}))


def test_an_id_sent_as_a_number_is_the_same_content_as_its_text() -> None:
    assert content_sha256(a_request(environment_id=42)) == content_sha256(a_request(environment_id="42"))


# --- deadline, lane, period


@pytest.mark.parametrize(("pieces", "seconds"), [(1, 904), (14, 930), (5_000, 10_902)])
def test_the_deadline_is_900_seconds_and_two_for_each_part_the_overview_included(pieces: int, seconds: float) -> None:
    assert settled(pieces).deadline_at == at(seconds)


def test_a_deadline_that_was_asked_for_counts_from_acceptance_for_any_number_of_parts() -> None:
    wanted = {"options": {"deadline_seconds": 60}}
    assert settled(5_000, **wanted).deadline_at == at(60)
    assert first_deadline(a_request(**wanted), NOON) == at(60)


def test_until_the_parts_are_counted_the_deadline_is_900_seconds() -> None:
    assert first_deadline(a_request(), NOON) == at(900)


@pytest.mark.parametrize(("pieces", "lane"), [(1, Lane.SMALL), (50, Lane.SMALL), (51, Lane.BULK)])
def test_reports_of_more_than_fifty_parts_travel_in_the_bulk_lane(pieces: int, lane: Lane) -> None:
    assert settled(pieces).lane is lane


def test_a_period_without_end_is_closed_at_the_time_of_acceptance() -> None:
    assert settled().period.to == NOON
    assert settled(period={"to": at(-60)}).period.to == at(-60)
    assert settled(period={"from": at(-60)}).period.from_ == at(-60)


# --- objections


def troubled(**criterion: Any) -> dict[str, Any]:
    return {"criteria": {"team": [KINDLY, {"name": "speed", **criterion}]}}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"period": {"from": at(0), "to": at(0)}}, "period: `from` must be before `to`"),
        ({"period": {"from": at(1), "to": at(0)}}, "period: `from` must be before `to`"),
        ({"metadata": {"note": "n" * 16_000}}, "metadata: more than 16000 bytes"),
        ({"metadata": {"note": "é" * 8_000}}, "metadata: more than 16000 bytes"),
        ({"criteria": {"goal": "g" * 32_000}}, "criteria: more than 32000 bytes"),
        ({"agent_ids": []}, "agent_ids: empty; leave it out for all agents"),
        ({"kind": "reviews", "languages": []}, "languages: empty; leave it out for all languages"),
        ({"options": {"coverage": "full"}}, "options: coverage `full` is not available in this release"),
        (
            {"options": {"cost_limit_usd": 5, "judge_model": "llama-4"}},
            "options: cost_limit_usd cannot be kept, as 'llama-4' has no price; set token_limit instead",
        ),
        ({"options": {"baseline": REPORT_ID}}, "options: a report cannot be its own baseline"),
        (
            {"options": {"baseline": "previous"}, "environment_id": None},
            "options: baseline `previous` needs environment_id, as it is the last report about the same",
        ),
        (
            {"kind": "reviews", "options": {"baseline": "previous"}},
            "options: baseline `previous` needs app_id, as it is the last report about the same",
        ),
        ({"criteria": {"team": []}}, "criteria.team: no criteria; leave it out for the defaults"),
        ({"criteria": {"agents": {"7": []}}}, "criteria.agents.7: no criteria; leave it out for the defaults"),
        (troubled(name=" "), "criteria.team: a criterion has no name"),
        (troubled(name="kindness "), "criteria.team: two criteria have the same name"),
        (troubled(weight=-1), "criteria.team: a weight is negative"),
        (troubled(threshold=10.1), "criteria.team: a threshold is not between 0 and 10"),
        (troubled(threshold=-0.1), "criteria.team: a threshold is not between 0 and 10"),
        ({"criteria": {"agents": {"*": [{"name": "a", "weight": 0}]}}}, "criteria.agents.*: the weights are all zero"),
    ],
)
def test_what_cannot_be_served_is_said_in_words(fields: dict[str, Any], words: str) -> None:
    assert objections(a_request(**fields), PRICES) == [words]


def test_all_objections_are_said_at_once() -> None:
    found = objections(
        a_request(agent_ids=[], options={"coverage": "full", "baseline": REPORT_ID}, criteria={"team": []}), PRICES
    )
    assert len(found) == 4


def test_weights_need_not_sum_to_one_and_some_may_be_zero() -> None:
    criteria = [KINDLY, {"name": "speed", "weight": 0, "threshold": 0}, {"name": "tone", "weight": 70, "threshold": 10}]
    assert objections(a_request(criteria={"team": criteria, "agents": {"7": criteria}}), PRICES) == []


def test_a_request_with_nothing_but_what_is_required_is_fine() -> None:
    assert objections(ReportRequested(report_id="r", kind="agents"), PRICES) == []


@pytest.mark.parametrize(
    "options",
    [{"cost_limit_usd": 5}, {"token_limit": 5}, {"token_limit": 5, "judge_model": "llama-4"}],
)
def test_a_limit_is_fine_where_it_can_be_kept(options: dict[str, Any]) -> None:
    assert objections(a_request(options=options), PRICES) == []


def test_the_renderer_is_told_the_limits() -> None:
    event = planned_event(a_plan(options=Options(token_limit=5_000, cost_limit_usd=0.5)))
    assert (event.token_limit, event.cost_limit_usd) == (5_000, 0.5)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["a", " "], "data: an empty agent_id"),
        (["a", "b", "a"], "data: duplicate agent_id 'a'"),
        (["a", "k" * 201], f"data: agent_id longer than 200 characters: '{'k' * 40}'…"),
    ],
)
def test_ids_that_cannot_join_are_said_in_words(keys: list[str], words: str) -> None:
    assert bad_keys(keys, "agent_id") == [words]


def test_different_ids_up_to_the_longest_are_fine() -> None:
    assert bad_keys(["a", "A", "k" * 200], "agent_id") == []


# --- criteria


def test_an_agent_is_judged_by_its_own_criteria_else_by_those_for_every_agent_else_by_the_defaults() -> None:
    tone, speed = [{"name": "tone"}], [{"name": "speed"}]
    assert agent("7", criteria={"agents": {"7": tone, "*": speed}}) == ("tone",)
    assert agent("8", criteria={"agents": {"7": tone, "*": speed}}) == ("speed",)
    assert agent("8", criteria={"agents": {"7": tone}}) == ("accuracy", "reliability", "efficiency")


def test_the_default_criteria_are_those_of_the_product() -> None:
    agents = {item.name: (item.weight, item.threshold) for item in AGENT_CRITERIA}
    team = {item.name: (item.weight, item.threshold) for item in TEAM_CRITERIA}
    assert agents == {"accuracy": (0.4, 7), "reliability": (0.3, 7), "efficiency": (0.3, 6)}
    assert team == {"effectiveness": (0.4, 7), "reliability": (0.3, 8), "efficiency": (0.3, 7)}


def test_languages_and_their_overview_have_no_criteria() -> None:
    reviews = settled(kind="reviews")
    assert agent("en", reviews) == ()
    assert overview_part(reviews, 0).criteria == ()


# --- the overview, and tasks


@pytest.mark.parametrize(
    ("kind", "mode", "fits", "concurrent"),
    [
        ("agents", "auto", True, False),
        ("agents", "concurrent", True, True),
        ("agents", "concurrent", False, True),
        ("agents", "synthesis", True, False),
        ("reviews", "auto", True, True),
        ("reviews", "auto", False, False),
        ("reviews", "concurrent", False, True),
        ("reviews", "synthesis", True, False),
    ],
)
def test_the_overview_is_judged_with_the_pieces_or_after_them(
    *, kind: str, mode: str, fits: bool, concurrent: bool
) -> None:
    request = a_request(kind=kind, options={"overview": mode})
    assert overview_is_concurrent(request, fits_one_task=fits) is concurrent


def test_an_overviews_task_travels_in_the_small_lane_however_large_its_report_is() -> None:
    large = settled(51)
    assert task_of(large, overview_part(large, 1), ()).lane is Lane.SMALL
    piece = piece_part(large, 0, Piece("7", "Seven"), EvidenceGroup(key="7", name="Seven"))
    assert task_of(large, piece, ()).lane is Lane.BULK


def test_the_tasks_of_a_report_travel_in_neighbouring_partitions() -> None:
    report = settled(30)
    pieces = [piece_part(report, index, Piece(str(index), ""), EvidenceGroup(key="", name="")) for index in range(30)]
    partitions = [task_of(report, part, ()).partition for part in (*pieces, overview_part(report, 1))]
    assert partitions == [(partitions[0] + index) % 24 for index in range(31)]


def test_a_part_is_named_by_report_role_and_key() -> None:
    report = settled()
    piece = piece_part(report, 2, Piece("7", "Seven", "Answers."), EvidenceGroup(key="7", name="Seven"))
    overview = overview_part(report, 1)
    assert (piece.part_id, piece.role, piece.name, piece.index) == (f"{REPORT_ID}/agent/7", Role.AGENT, "Seven", 2)
    assert (overview.part_id, overview.index, overview.stage) == (f"{REPORT_ID}/overview/overview", 3, 1)


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"environment_id": 42}, "Environment 42"),
        ({}, "Agents"),
        ({"kind": "reviews", "app_id": 7}, "App 7"),
        ({"kind": "reviews"}, "User reviews"),
    ],
)
def test_a_report_without_a_title_is_called_by_its_subject(fields: dict[str, Any], subject: str) -> None:
    report = settled(**fields)
    plan = plan_of(report, token="t", planned_at=at(1), concurrent=False, rows=1, columns=(), notes=())
    titled = plan_of(
        report._replace(request=report.request.model_copy(update={"title": "November"})),
        token="t",
        planned_at=at(1),
        concurrent=True,
        rows=1,
        columns=(),
        notes=(),
    )
    assert (plan.subject, plan.title, plan.overview) == (subject, subject, "synthesis")
    assert (titled.subject, titled.title, titled.overview) == (subject, "November", "concurrent")
