"""The tokens of a text are reckoned high enough, and a task's budget follows from the judge's window."""

# ruff: noqa: RUF001  # the scripts are the point

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.orchestrator.tokens import (
    LEAST_TOKENS,
    MOST_TOKENS_A_BYTE,
    UNKNOWN_WINDOW,
    budget_of,
    context_window,
    estimated_tokens,
)
from tests.builders import a_request

TIMES = 20


class Counted(NamedTuple):
    """The tokens of a text, repeated, as the tokenizers of two vocabularies counted them once."""

    text: str
    o200k_base: int
    cl100k_base: int


COUNTED = {
    "English": Counted("The app is good, but sometimes it crashes. Please fix it soon. ", 301, 301),
    "German": Counted("Die App ist gut, stürzt aber manchmal ab. Bitte bald beheben. ", 321, 401),
    "Hungarian": Counted("Az alkalmazás nagyon jó, de néha összeomlik. Kérem, javítsák. ", 421, 541),
    "Vietnamese": Counted("Ứng dụng rất tốt nhưng đôi khi bị lỗi. ", 240, 480),
    "Russian": Counted("Приложение хорошее, но иногда вылетает. Исправьте. ", 341, 521),
    "Greek": Counted("Η εφαρμογή είναι καλή αλλά μερικές φορές κολλάει. ", 301, 841),
    "Hebrew": Counted("האפליקציה טובה מאוד אבל לפעמים קורסת. ", 241, 761),
    "Arabic": Counted("التطبيق جيد جدا ولكنه يتعطل أحيانا. ", 222, 542),
    "Hindi": Counted("ऐप अच्छा है लेकिन कभी-कभी बंद हो जाता है। ", 242, 901),
    "Thai": Counted("แอปนี้ดีมากแต่บางครั้งก็ค้าง ", 222, 560),
    "Tamil": Counted("இந்த செயலி மிகவும் நன்றாக உள்ளது ", 161, 881),
    "Georgian": Counted("ეს აპლიკაცია ძალიან კარგია. ", 181, 1020),
    "Amharic": Counted("ይህ መተግበሪያ በጣም ጥሩ ነው። ", 740, 941),
    "Burmese": Counted("ဒီအက်ပ်က အရမ်းကောင်းပါတယ်။ ", 241, 1060),
    "Chinese": Counted("这个应用程序非常好用，但是有时候会崩溃。", 300, 460),
    "Japanese": Counted("このアプリはとても便利ですが、時々クラッシュします。", 281, 480),
    "Korean": Counted("이 앱은 매우 유용하지만 가끔 충돌합니다. ", 261, 441),
    "emoji": Counted("😀👩\u200d💻❤️🎉🔥", 200, 360),
    "UUIDs": Counted("123e4567-e89b-12d3-a456-426614174000 ", 380, 380),
    "JSON": Counted('{"tool": "search", "args": {"q": "refund 12"}, "ms": 431}\n', 460, 460),
    "Python": Counted("def total(rows):\n    return sum(row.price * row.count for row in rows)\n", 340, 340),
}


@pytest.mark.parametrize("sample", COUNTED.values(), ids=COUNTED.keys())
def test_the_reckoning_is_hardly_below_the_dearer_vocabulary_and_about_twice_it_at_most(sample: Counted) -> None:
    found = estimated_tokens(sample.text * TIMES)
    dearer = max(sample.o200k_base, sample.cl100k_base)
    assert 0.99 * dearer <= found <= 2.1 * dearer


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_no_text_has_more_than_the_most_tokens_a_byte(text: str) -> None:
    assert estimated_tokens(text) <= MOST_TOKENS_A_BYTE * len(text.encode("utf-8", "surrogatepass")) + 1


@given(st.text(), st.text())
@settings(max_examples=50, deadline=None)
def test_more_text_is_never_fewer_tokens(one: str, other: str) -> None:
    assert max(estimated_tokens(one), estimated_tokens(other)) <= estimated_tokens(one + other)


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("gpt-4", 8_192),
        ("gpt-4.1-nano", 1_047_576),
        ("openai/GPT-4o", 128_000),
        ("stand-in", UNKNOWN_WINDOW),
    ],
)
def test_a_models_window_is_that_of_the_longest_beginning_known(model: str, window: int) -> None:
    assert context_window(model) == window


def test_answer_rules_and_criteria_have_their_room_before_the_evidence() -> None:
    plain = budget_of(a_request(), 300_000, None)
    assert plain.size == 300_000
    assert 90_000 < plain.tokens < 128_000 - 16_384
    longer = budget_of(a_request(options={"max_output_tokens": 30_000}), 300_000, None)
    wordy = budget_of(a_request(criteria={"goal": "Resolve every ticket. " * 500}), 300_000, None)
    assert longer.tokens < plain.tokens
    assert wordy.tokens < plain.tokens


def test_a_small_window_leaves_little_and_never_nothing() -> None:
    small = a_request(options={"judge_model": "gpt-4"})
    assert LEAST_TOKENS < budget_of(small, 300_000, None).tokens < 8_192
    assert budget_of(small, 300_000, 2_000).tokens == LEAST_TOKENS
    assert budget_of(small, 300_000, 64_000).tokens > 8_192
