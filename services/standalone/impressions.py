"""How the stand-in takes reviews: each one's sentiment, the words its themes are made of, and what they add up to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.standalone.chance import draw
from services.standalone.words import lexicon, telling, tokens
from shared.evaluations import EvidenceRow
from shared.vocabulary import Sentiment

_GOOD_RATING, _BAD_RATING = 4, 2  # of 5
_NEUTRAL_SHARE = 0.5  # of the reviews that no sign speaks for
_CLEAR_MAJORITY = 1.4  # so many times as many as of the other side
_QUIET_SHARE = 0.25  # fewer reviews with a side than this: neutral as a whole


class Impression(NamedTuple):
    """What was taken from one review; `number` is its row's."""

    number: int
    sentiment: Sentiment
    words: frozenset[str]
    wishes: bool
    faults: bool


class Found(NamedTuple):
    """A word that several reviews share, and the numbers of their rows."""

    word: str
    numbers: tuple[int, ...]


def impression(row: EvidenceRow) -> Impression:
    """What one review leaves behind."""
    text = str(row.values.get("text") or "")
    words = tokens(text)
    return Impression(
        number=int(row.id),
        sentiment=_sentiment(row, text, words),
        words=telling(words),
        wishes=lexicon().wish.are_in(text, words),
        faults=lexicon().fault.are_in(text, words),
    )


def overall(sentiments: Sequence[Sentiment]) -> Sentiment:
    """How the reviews sound together."""
    counted = Counter(sentiments)
    good, bad = counted[Sentiment.POSITIVE], counted[Sentiment.NEGATIVE]
    if good + bad + counted[Sentiment.MIXED] <= _QUIET_SHARE * len(sentiments):
        return Sentiment.NEUTRAL
    if good >= _CLEAR_MAJORITY * max(bad, 1):
        return Sentiment.POSITIVE
    return Sentiment.NEGATIVE if bad >= _CLEAR_MAJORITY * max(good, 1) else Sentiment.MIXED


def themes(impressions: Iterable[Impression], most: int) -> list[Found]:
    """The words that most of these reviews share, at most `most` of them, each with its reviews."""
    where: defaultdict[str, list[int]] = defaultdict(list)
    for taken in impressions:
        for word in taken.words:
            where[word].append(taken.number)
    best = sorted(where.items(), key=lambda item: (-len(item[1]), -len(item[0]), item[0]))
    return [Found(word, tuple(numbers)) for word, numbers in best[:most]]


def _sentiment(row: EvidenceRow, text: str, words: tuple[str, ...]) -> Sentiment:
    """By the review's own rating or recommendation, else by its words and signs, else by chance."""
    rating, recommended = row.values.get("rating"), row.values.get("recommended")
    if isinstance(rating, int | float):
        if rating >= _GOOD_RATING:
            return Sentiment.POSITIVE
        return Sentiment.NEGATIVE if rating <= _BAD_RATING else Sentiment.MIXED
    if isinstance(recommended, bool):
        return Sentiment.POSITIVE if recommended else Sentiment.NEGATIVE
    praises, complains = lexicon().praise.are_in(text, words), lexicon().complaint.are_in(text, words)
    if praises or complains:
        return Sentiment.MIXED if praises and complains else Sentiment.POSITIVE if praises else Sentiment.NEGATIVE
    chance = draw("sentiment", text)
    if chance < _NEUTRAL_SHARE:
        return Sentiment.NEUTRAL
    return Sentiment.POSITIVE if chance < (1 + _NEUTRAL_SHARE) / 2 else Sentiment.NEGATIVE
