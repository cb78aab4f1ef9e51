"""How the stand-in takes single reviews."""

import pytest

from services.standalone.impressions import impression, overall
from services.standalone.words import telling, tokens
from shared.evaluations import EvidenceRow, Scalar
from shared.vocabulary import Sentiment


@pytest.mark.parametrize(
    ("values", "sentiment"),
    [
        ({"text": "terrible", "rating": 5}, Sentiment.POSITIVE),
        ({"text": "great", "rating": 1}, Sentiment.NEGATIVE),
        ({"text": "great", "rating": 3}, Sentiment.MIXED),
        ({"text": "great", "recommended": False}, Sentiment.NEGATIVE),
        ({"text": "great but slow"}, Sentiment.MIXED),
    ],
)
def test_a_rating_counts_more_than_words(values: dict[str, Scalar], sentiment: Sentiment) -> None:
    assert impression(EvidenceRow(id="1", values=values)).sentiment is sentiment


def test_texts_without_a_sign_are_spread_over_the_sentiments() -> None:
    taken = {impression(EvidenceRow(id="1", values={"text": f"number {n}"})).sentiment for n in range(50)}
    assert taken == {Sentiment.POSITIVE, Sentiment.NEGATIVE, Sentiment.NEUTRAL}


@pytest.mark.parametrize(
    ("positive", "negative", "neutral", "sentiment"),
    [
        (0, 0, 0, Sentiment.NEUTRAL),
        (1, 1, 8, Sentiment.NEUTRAL),
        (6, 2, 2, Sentiment.POSITIVE),
        (2, 6, 2, Sentiment.NEGATIVE),
        (4, 4, 2, Sentiment.MIXED),
    ],
)
def test_the_clear_majority_gives_the_sentiment(
    positive: int, negative: int, neutral: int, sentiment: Sentiment
) -> None:
    several = [Sentiment.POSITIVE] * positive + [Sentiment.NEGATIVE] * negative + [Sentiment.NEUTRAL] * neutral
    assert overall(several) is sentiment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The new Checkout, again!", {"checkout"}),
        ("通知が遅い", {"通知"}),
        ("アプリがクラッシュする", {"アプリ", "クラッシュ"}),
        ("सूचना नहीं आती", {"सूचना", "आती"}),
        ("التطبيق في الهاتف", {"التطبيق", "الهاتف"}),
    ],
)
def test_words_that_can_name_a_theme_are_found_in_every_script(text: str, words: set[str]) -> None:
    assert telling(tokens(text)) == words
