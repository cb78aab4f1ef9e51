"""How far a judge agrees with people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.client.agreement import Agreement, Pair, agreement, figures, table

WORDS = ("positive", "negative", "neutral")


def confusion(*rows: tuple[int, ...]) -> Agreement:
    """The agreement with this table: a row for each label, a column for each judgement."""
    return agreement(
        (
            Pair(label, judged)
            for label, row in zip(WORDS, rows, strict=False)
            for judged, count in zip(WORDS, row, strict=False)
            for _ in range(count)
        ),
        WORDS,
    )


def test_kappa_is_as_in_a_worked_example() -> None:
    """20, 5, 10, 15: the example of Wikipedia's article on Cohen's kappa; observed 0.7, by chance 0.5."""
    found = confusion((20, 5), (10, 15))
    assert (found.n, found.accuracy) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)


def test_kappa_of_three_words_is_as_counted_by_hand() -> None:
    """Observed 80 of 100; by chance (50·46 + 30·32 + 20·22) / 100² = 0.37; (0.8 - 0.37) / 0.63."""
    found = confusion((41, 6, 3), (4, 23, 3), (1, 3, 16))
    assert found.kappa == pytest.approx((0.8 - 0.37) / 0.63)


def test_a_judge_that_agrees_always_has_a_kappa_of_one_and_one_that_says_one_word_of_nought() -> None:
    assert confusion((3, 0), (0, 4)).kappa == 1
    assert confusion((3, 0), (4, 0)).kappa == 0


def test_a_judge_that_is_always_wrong_is_below_chance() -> None:
    assert confusion((0, 5), (5, 0)).kappa == -1


def test_where_both_say_one_word_alone_kappa_is_not_defined() -> None:
    found = confusion((7,))
    assert (found.accuracy, found.kappa) == (1.0, None)
    assert figures(found) == "accuracy 1.000 (7 of 7), Cohen's kappa not defined"


def test_of_nothing_nothing_is_said() -> None:
    assert figures(agreement([])) == "nothing to compare"


def test_the_table_has_labels_down_and_judgements_across_in_the_order_given() -> None:
    found = agreement([Pair("negative", "mixed"), Pair("positive", "positive"), Pair("odd", "positive")], WORDS)
    assert table(found) == [
        "label \\ judged  positive  negative  mixed  odd",
        "positive               1         0      0    0",
        "negative               0         0      1    0",
        "mixed                  0         0      0    0",
        "odd                    1         0      0    0",
    ]


@given(st.lists(st.builds(Pair, st.sampled_from(WORDS), st.sampled_from(WORDS)), min_size=1))
def test_kappa_is_the_definition_whatever_was_said(pairs: list[Pair]) -> None:
    found = agreement(pairs, WORDS)
    observed = sum(pair.label == pair.judged for pair in pairs) / len(pairs)
    expected = sum(
        sum(pair.label == word for pair in pairs) * sum(pair.judged == word for pair in pairs) / len(pairs) ** 2
        for word in WORDS
    )
    if found.kappa is None:
        assert expected == pytest.approx(1)
    else:
        assert -1 <= found.kappa <= 1
        assert found.kappa == pytest.approx((observed - expected) / (1 - expected))
