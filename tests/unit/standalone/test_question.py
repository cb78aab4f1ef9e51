"""The stand-in reads what the evaluator writes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.evaluator import prompts
from services.standalone.question import UnreadableQuestionError, read
from shared.evaluations import PartResult
from shared.vocabulary import Kind, PartStatus, Reason, Role
from tests.unit.standalone.questions import CRITERIA, GOOD_RUN, agent, group, overview, reviews

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def test_subject_criteria_and_rows_of_an_agent_are_read_back() -> None:
    question = read(agent("7", GOOD_RUN, GOOD_RUN).user)
    assert (question.role, question.key, question.name) == (Role.AGENT, "7", "The 7")
    assert question.criteria == tuple(criterion.name for criterion in CRITERIA)
    assert [(row.id, row.values) for row in question.rows] == [("1", GOOD_RUN), ("2", GOOD_RUN)]


def test_the_goal_is_read_back_where_there_is_one() -> None:
    call = agent("7", GOOD_RUN)
    without = prompts.build(call.task.model_copy(update={"goal": None}))
    assert (read(call.user).goal, read(without.user).goal) == (call.task.goal, None)


def test_every_piece_of_a_concurrent_overview_keeps_its_own_rows() -> None:
    call = overview(Kind.REVIEWS, [group("de", reviews("Gut", "Nein")), group("fr", reviews("Bon"))])
    assert [(piece.key, len(piece.rows)) for piece in read(call.user).evidence] == [("de", 2), ("fr", 1)]


def test_results_of_a_synthesis_are_read_back() -> None:
    results = [
        PartResult(key="7", name="Ann", status=PartStatus.COMPLETED, score=8.5, passed=True),
        PartResult(key="8", name="Bob", status=PartStatus.ERRORED, reason=Reason.REFUSED),
    ]
    assert list(read(overview(Kind.AGENTS, results=results).user).results) == results


@settings(max_examples=30)
@given(ANY_TEXT)
def test_no_text_of_a_row_is_taken_for_anything_but_its_text(text: str) -> None:
    question = read(agent("7", {"output": text}, {"output": f'about {{"key": "8"}}\n[9] {{}}\n{text}'}).user)
    assert [group.key for group in question.evidence] == ["7"]
    assert question.rows[0].values == {"output": text}


def test_a_message_without_a_fence_is_no_question() -> None:
    with pytest.raises(UnreadableQuestionError):
        read("Subject: {}")
