"""What the stand-in judge answers: valid for the evaluator, the same every time, and from the evidence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator.answers import AgentAnswer, LanguageAnswer, LanguagesAnswer, TeamAnswer
from services.standalone.opinions import MARK, UnknownFormError, form_of
from shared.evaluations import AgentEvaluation, LanguageEvaluation, OverviewEvaluation, PartResult
from shared.vocabulary import Kind, PartStatus, Sentiment
from tests.unit.standalone.questions import (
    BAD_RUN,
    CRITERIA,
    GOOD_RUN,
    agent,
    answered,
    group,
    judged,
    language,
    overview,
    reviews,
    rows,
)

RUNS = st.lists(st.fixed_dictionaries({"output": st.text(), "status": st.sampled_from(["success", "failed", ""])}))
PRAISE = ("I love this, great update", "Sehr gut, danke", "とても便利で最高", "رائع جدا", "👍👍")
COMPLAINTS = ("Terrible, it crashes", "Leider kaputt", "すぐ落ちる。最悪", "سيء جدا", "😡")


@settings(max_examples=30)
@given(RUNS)
def test_any_runs_get_an_answer_that_the_evaluator_accepts(runs: list[dict[str, str]]) -> None:
    evaluation = judged(agent("7", *runs))
    assert isinstance(evaluation, AgentEvaluation)
    assert [criterion.name for criterion in evaluation.criteria] == [criterion.name for criterion in CRITERIA]


@settings(max_examples=30)
@given(st.lists(st.text()))
def test_any_reviews_get_an_answer_that_the_evaluator_accepts(texts: list[str]) -> None:
    assert isinstance(judged(language("xx", *texts)), LanguageEvaluation)


def test_the_same_evidence_gets_the_same_answer() -> None:
    assert answered(agent("7", GOOD_RUN, BAD_RUN)) == answered(agent("7", GOOD_RUN, BAD_RUN))


def test_different_agents_get_different_scores() -> None:
    scores = {str(judged(agent(str(number), GOOD_RUN, BAD_RUN))) for number in range(20)}
    assert len(scores) > 10


def test_trouble_costs_points_and_is_cited() -> None:
    good, bad = judged(agent("7", *[GOOD_RUN] * 4)), judged(agent("7", *[BAD_RUN] * 4))
    assert isinstance(good, AgentEvaluation)
    assert isinstance(bad, AgentEvaluation)
    assert (good.criteria[0].score or 0) > (bad.criteria[0].score or 0)
    assert bad.criteria[0].evidence_ids == ("row-1", "row-2", "row-3", "row-4")


def test_runs_that_say_nothing_are_not_scored() -> None:
    evaluation = judged(agent("7", {"input": "Hello?", "output": None}))
    assert isinstance(evaluation, AgentEvaluation)
    assert {criterion.score for criterion in evaluation.criteria} == {None}


@pytest.mark.parametrize(("texts", "sentiment"), [(PRAISE, Sentiment.POSITIVE), (COMPLAINTS, Sentiment.NEGATIVE)])
def test_praise_and_complaint_are_told_apart_in_several_languages(texts: tuple[str, ...], sentiment: Sentiment) -> None:
    evaluation = judged(language("xx", *texts))
    assert isinstance(evaluation, LanguageEvaluation)
    assert evaluation.sentiment is sentiment
    ids = evaluation.positive_ids if sentiment is Sentiment.POSITIVE else evaluation.negative_ids
    assert len(ids) == len(texts)


def test_themes_are_words_of_the_reviews_with_those_that_use_them() -> None:
    texts = ("The checkout crashes", "Checkout is broken", "checkout error", "The weather")
    evaluation = judged(language("en", *texts))
    assert isinstance(evaluation, LanguageEvaluation)
    theme = evaluation.negative_themes[0]
    assert (theme.text, theme.review_ids) == (f"{MARK} checkout", ("row-1", "row-2", "row-3"))


def test_a_wish_is_a_feature_request_and_a_fault_a_bug_report() -> None:
    evaluation = judged(language("en", "Please add widgets", "Widgets crash"))
    assert isinstance(evaluation, LanguageEvaluation)
    assert evaluation.feature_requests[0].review_ids == ("row-1",)
    assert evaluation.bug_reports[0].review_ids == ("row-2",)


def test_a_team_is_scored_by_its_results() -> None:
    def of(score: float) -> OverviewEvaluation:
        results = [PartResult(key="7", name="Ann", status=PartStatus.COMPLETED, score=score)] * 4
        evaluation = judged(overview(Kind.AGENTS, results=results))
        assert isinstance(evaluation, OverviewEvaluation)
        return evaluation

    assert (of(9.0).criteria[0].score or 0) > (of(2.0).criteria[0].score or 0)


def test_a_team_without_results_is_judged_by_its_runs() -> None:
    evaluation = judged(overview(Kind.AGENTS, [group("7", rows(GOOD_RUN)), group("8", rows(BAD_RUN))]))
    assert isinstance(evaluation, OverviewEvaluation)
    assert "The 7, The 8" in evaluation.executive_summary


def test_languages_that_sound_alike_share_a_theme() -> None:
    call = overview(Kind.REVIEWS, [group("en", reviews(*PRAISE)), group("de", reviews(*PRAISE))])
    evaluation = judged(call)
    assert isinstance(evaluation, OverviewEvaluation)
    assert (f"{MARK} sounds positive", ("en", "de")) in [(theme.text, theme.keys) for theme in evaluation.themes]


def test_every_text_says_that_no_model_wrote_it() -> None:
    calls = [
        agent("7", GOOD_RUN, BAD_RUN),
        language("en", *PRAISE, *COMPLAINTS, "please add dark mode"),
        overview(Kind.AGENTS, [group("7", rows(GOOD_RUN, BAD_RUN))]),
        overview(Kind.REVIEWS, [group("en", reviews(*COMPLAINTS)), group("de", reviews(*COMPLAINTS))]),
    ]
    texts = [text for call in calls for text in _texts(answered(call).model_dump(exclude={"sentiment"}))]
    assert len(texts) > 25
    assert [text for text in texts if not text.startswith(MARK)] == []


@pytest.mark.parametrize("form", [AgentAnswer, LanguageAnswer, TeamAnswer, LanguagesAnswer])
def test_a_form_is_known_by_its_fields(
    form: type[AgentAnswer] | type[LanguageAnswer] | type[TeamAnswer] | type[LanguagesAnswer],
) -> None:
    assert form_of(frozenset(form.model_fields)) is form


def test_other_fields_are_no_form() -> None:
    with pytest.raises(UnknownFormError):
        form_of(frozenset({"weather"}))


def _texts(value: object, name: str = "") -> list[str]:
    """All texts of an answer but names and keys."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _texts(item, key)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item, name)]
    return [value] if isinstance(value, str) and name not in {"name", "languages"} else []
