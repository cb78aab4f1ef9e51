"""The form of the judge's answers, as structured outputs in strict mode want it."""

import json
from collections.abc import Hashable, Iterator
from hashlib import sha256
from typing import Any, cast

import pytest

from services.evaluator.answers import (
    AgentAnswer,
    LanguageAnswer,
    LanguagesAnswer,
    TeamAnswer,
    answer_schema,
    answer_type,
)
from shared.messages import SCHEMA_VERSION, EvaluationTask
from shared.vocabulary import Kind, Role
from tests.builders import a_task

FORMS = [AgentAnswer, LanguageAnswer, TeamAnswer, LanguagesAnswer]


def schema_of(form: type[Any], *criteria: str) -> dict[str, Any]:
    return dict(answer_schema(cast("Hashable", form), criteria))


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object in a schema, however deep."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)
    if isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def keywords(schema: Any) -> Iterator[str]:
    """Every keyword of a schema, without the names of its properties."""
    for name, part in schema.items():
        yield name
        below = part.values() if name in {"properties", "$defs"} else [part]
        for item in below:
            if isinstance(item, dict):
                yield from keywords(item)
            if isinstance(item, list):
                yield from (word for one in item if isinstance(one, dict) for word in keywords(one))


@pytest.mark.parametrize("form", FORMS)
def test_every_object_is_closed_and_every_property_required(form: type[Any]) -> None:
    found = list(objects(schema_of(form, "accuracy")))
    assert len(found) >= 2
    for item in found:
        assert item["additionalProperties"] is False
        assert item["required"] == list(item["properties"])


@pytest.mark.parametrize("form", FORMS)
def test_only_keywords_that_strict_mode_allows_are_used(form: type[Any]) -> None:
    allowed = {"$defs", "$ref", "type", "properties", "required", "additionalProperties", "items", "enum", "anyOf"}
    assert set(keywords(schema_of(form, "accuracy"))) <= allowed


@pytest.mark.parametrize("form", [AgentAnswer, TeamAnswer])
def test_the_names_of_the_criteria_are_the_only_ones_allowed(form: type[Any]) -> None:
    first, second = schema_of(form, "accuracy", "tone"), schema_of(form, "speed")
    names = [schema["$defs"]["CriterionAnswer"]["properties"]["name"]["enum"] for schema in (first, second)]
    assert names == [["accuracy", "tone"], ["speed"]]


@pytest.mark.parametrize("form", [AgentAnswer, TeamAnswer])
def test_the_judge_reasons_before_it_scores_and_may_leave_a_score_out(form: type[Any]) -> None:
    properties = schema_of(form, "a")["$defs"]["CriterionAnswer"]["properties"]
    assert list(properties) == ["name", "reasoning", "evidence", "score"]
    assert properties["score"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}


def test_fields_that_are_called_like_keywords_would_stay() -> None:
    assert "text" in schema_of(LanguageAnswer)["$defs"]["ThemeAnswer"]["properties"]


@pytest.mark.parametrize(
    ("task", "form"),
    [
        (a_task(), AgentAnswer),
        (a_task("en", Role.LANGUAGE), LanguageAnswer),
        (a_task("overview", Role.OVERVIEW), TeamAnswer),
        (a_task("overview", Role.OVERVIEW, kind=Kind.REVIEWS), LanguagesAnswer),
    ],
    ids=["agent", "language", "team", "languages"],
)
def test_each_kind_of_part_has_its_form(task: EvaluationTask, form: type[Any]) -> None:
    assert answer_type(task) is form


@pytest.mark.parametrize("form", FORMS)
def test_the_judge_reasons_before_it_decides(form: type[Any]) -> None:
    fields = list(schema_of(form, "a")["properties"])
    decisions = {"criteria", "sentiment", "executive_summary"} & set(fields)
    words = {"reasoning", "summary"} & set(fields)
    assert words
    assert decisions
    assert max(map(fields.index, words)) < min(map(fields.index, decisions))


def test_a_form_does_not_change_without_its_version() -> None:
    whole = json.dumps([schema_of(form, "a") for form in FORMS], sort_keys=False)
    known = {"1": "84c66fb6cf26ff36"}
    assert sha256(whole.encode()).hexdigest()[:16] == known[SCHEMA_VERSION]
