"""What an answer amounts to: checked against its task, joined to ids, scored and decided in code."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.answers import AnyAnswer, LanguagesAnswer, SharedThemeAnswer
from services.evaluator.scoring import InvalidAnswerError, Verdict, evaluation_of, verdict
from shared.evaluations import (
    AgentEvaluation,
    Criterion,
    CriterionScore,
    LanguageEvaluation,
    OverviewEvaluation,
    PartResult,
)
from shared.messages import EvaluationTask
from shared.vocabulary import Kind, PartStatus, Role
from tests.builders import a_task
from tests.unit.evaluator.replies import (
    CRITERIA,
    a_criterion,
    a_language_answer,
    a_team_answer,
    a_theme,
    an_agent_answer,
)

AGENT = a_task()
LANGUAGE = a_task("en", Role.LANGUAGE)
TEAM = a_task("overview", Role.OVERVIEW)


def criteria(*weights: float, threshold: float = 7) -> list[Criterion]:
    return [Criterion(name=str(place), weight=weight, threshold=threshold) for place, weight in enumerate(weights)]


def scores(*given_: float | None) -> list[CriterionScore]:
    return [CriterionScore(name=str(place), score=score) for place, score in enumerate(given_)]


def refused(answer: AnyAnswer, task: EvaluationTask) -> str:
    with pytest.raises(InvalidAnswerError) as raised:
        evaluation_of(answer, task)
    return str(raised.value)


# --- the verdict


@pytest.mark.parametrize(
    ("weights", "given_", "expected"),
    [
        ([0.4, 0.3, 0.3], [8, 7, 7], Verdict(7.4, passed=True)),
        ([4, 3, 3], [8, 7, 7], Verdict(7.4, passed=True)),
        ([1, 1], [10, 6.9], Verdict(8.45, passed=False)),
        ([1, 1], [7, 7], Verdict(7, passed=True)),
        ([1, 1], [9, None], Verdict(9, None)),
        ([1, 1], [2, None], Verdict(2, None)),
        ([1, 1], [None, None], Verdict(None, None)),
        ([1, 1], [9], Verdict(9, None)),
        ([1, 0], [8, 2], Verdict(8, passed=False)),
        ([1, 0], [None, 2], Verdict(None, None)),
        ([1, 1, 1], [10, 10, 9.9999], Verdict(10.0, passed=True)),
        ([], [], Verdict(None, None)),
        ([1e308, 1e308], [4, 8], Verdict(6, passed=False)),
        ([5e-324], [2.4], Verdict(2.4, passed=False)),
    ],
)
def test_a_score_is_the_weighted_mean_of_what_was_judged_and_passing_takes_every_criterion(
    weights: list[float], given_: list[float | None], expected: Verdict
) -> None:
    assert verdict(criteria(*weights), scores(*given_)) == expected


SCORES = st.integers(0, 100_000).map(lambda number: number / 10_000)
WEIGHTS = st.integers(0, 1_000).map(lambda number: number / 100) | st.floats(0, allow_infinity=False)


@given(st.lists(st.tuples(WEIGHTS, SCORES | st.none()), min_size=1, max_size=6))
@settings(max_examples=70, deadline=None)
def test_a_score_lies_between_the_lowest_and_the_highest_of_its_criteria(
    pairs: list[tuple[float, float | None]],
) -> None:
    found = verdict(criteria(*(weight for weight, _ in pairs)), scores(*(score for _, score in pairs)))
    counted = [score for weight, score in pairs if score is not None and weight > 0]
    assert (found.score is None) is (not counted)
    if found.score is not None:
        assert min(counted) <= found.score <= max(counted)


@given(st.lists(st.tuples(WEIGHTS, SCORES), min_size=1, max_size=6), st.data())
@settings(max_examples=70, deadline=None)
def test_a_verdict_does_not_depend_on_the_order_of_criteria_or_scores(
    pairs: list[tuple[float, float]], data: st.DataObject
) -> None:
    wanted, given_ = criteria(*(weight for weight, _ in pairs)), scores(*(score for _, score in pairs))
    shuffled = verdict(data.draw(st.permutations(wanted)), data.draw(st.permutations(given_)))
    assert shuffled == verdict(wanted, given_)


def test_the_sums_are_exact_so_that_no_order_rounds_another_way() -> None:
    pairs = list(zip(criteria(0.8, 0.6, 0.2), scores(5.7003, 2.6, 9.2), strict=True))
    found = {verdict(*zip(*order, strict=True)) for order in permutations(pairs)}
    assert len(found) == 1


# --- agents


def test_an_agents_evaluation_stands_in_the_order_of_its_criteria_with_the_ids_of_the_rows() -> None:
    answer = an_agent_answer(*(a_criterion(name, 7.5, [2, 1, 2]) for name in reversed(CRITERIA)))
    found = evaluation_of(answer, AGENT)
    assert isinstance(found, AgentEvaluation)
    assert [score.name for score in found.criteria] == list(CRITERIA)
    assert {score.evidence_ids for score in found.criteria} == {("row-2", "row-1")}
    assert (found.strengths, found.recommendations) == (("Brief.",), ("Go on.",))


@pytest.mark.parametrize(
    "names",
    [CRITERIA[:2], (*CRITERIA, "tone"), ("accuracy", *CRITERIA), ("accuracy", "reliability", "tone"), ()],
    ids=["missing", "more", "twice", "other", "none"],
)
def test_each_criterion_must_be_there_exactly_once(names: Sequence[str]) -> None:
    answer = an_agent_answer().model_copy(update={"criteria": tuple(map(a_criterion, names))})
    assert refused(answer, AGENT) == (
        f"criteria must be exactly {list(CRITERIA)}, each once; the answer has {list(names)}"
    )


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_row_that_is_not_there_cannot_be_cited(number: int) -> None:
    answer = an_agent_answer(*(a_criterion(name, evidence=[1, number]) for name in CRITERIA))
    assert refused(answer, AGENT) == f"there is no row {number}; rows are numbered from 1 to 2"


def test_a_criterion_without_evidence_has_no_score() -> None:
    found = evaluation_of(an_agent_answer(*(a_criterion(name, None, []) for name in CRITERIA)), AGENT)
    assert isinstance(found, AgentEvaluation)
    assert {score.score for score in found.criteria} == {None}


# --- languages


def test_mentions_are_the_distinct_reviews_cited_and_most_mentioned_stands_first() -> None:
    answer = a_language_answer(positive_themes=(a_theme("Rare", 1), a_theme("Common", 2, 1, 2), a_theme("Never")))
    found = evaluation_of(answer, LANGUAGE)
    assert isinstance(found, LanguageEvaluation)
    mentions = {theme.text: theme.mentions for theme in found.positive_themes}
    assert list(mentions.items()) == [("Common", 2), ("Rare", 1), ("Never", 0)]
    assert found.positive_themes[0].review_ids == ("row-2", "row-1")
    assert (found.positive_ids, found.negative_ids, found.mixed_ids) == (("row-1",), (), ("row-2",))


@pytest.mark.parametrize(
    "changes",
    [{"negative_reviews": (1,)}, {"mixed_reviews": (1,)}, {"positive_reviews": (1, 1), "mixed_reviews": ()}],
    ids=["positive_and_negative", "positive_and_mixed", "twice"],
)
def test_a_review_is_read_in_one_way_only(changes: dict[str, tuple[int, ...]]) -> None:
    assert refused(a_language_answer(**changes), LANGUAGE).startswith("a review may stand in only one of")


@pytest.mark.parametrize("field", ["positive_themes", "negative_themes", "feature_requests", "bug_reports"])
def test_a_theme_cannot_cite_a_review_that_is_not_there(field: str) -> None:
    assert "there is no row 3" in refused(a_language_answer(**{field: (a_theme("T", 3),)}), LANGUAGE)


# --- overviews


def test_a_team_is_scored_by_its_own_criteria_and_cites_no_rows() -> None:
    cited = [a_criterion(name, 6.5, [99]) for name in ("coordination", "effectiveness")]
    found = evaluation_of(a_team_answer(*cited), TEAM)
    assert isinstance(found, OverviewEvaluation)
    assert [(score.name, score.score) for score in found.criteria] == [("effectiveness", 6.5), ("coordination", 6.5)]
    assert {score.evidence_ids for score in found.criteria} == {()}
    assert found.executive_summary == "S"


def languages(*names: str) -> LanguagesAnswer:
    theme = SharedThemeAnswer(text="Search", languages=names)
    return LanguagesAnswer(reasoning="R", themes=(theme,), recommendations=(), executive_summary="S")


def test_shared_themes_name_languages_of_the_task_each_once() -> None:
    results = tuple(PartResult(key=key, name=key, status=PartStatus.COMPLETED) for key in ("de", "en"))
    task = a_task("overview", Role.OVERVIEW, kind=Kind.REVIEWS, criteria=(), results=results, results_total=2)
    found = evaluation_of(languages("en", "de", "en"), task)
    assert isinstance(found, OverviewEvaluation)
    assert found.themes[0].keys == ("en", "de")
    assert refused(languages("en", "pt"), task) == "there is no language 'pt'; the languages are ['de', 'en']"
