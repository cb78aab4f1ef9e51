"""What the stand-in judge answers: pure, from the evidence and from chance that follows from it; no model is asked.

Every text it writes begins with MARK, so that nobody takes it for a judgement.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.evaluator.answers import (
    AgentAnswer,
    AnyAnswer,
    CriterionAnswer,
    LanguageAnswer,
    LanguagesAnswer,
    SharedThemeAnswer,
    TeamAnswer,
    ThemeAnswer,
)
from services.standalone.chance import draw
from services.standalone.impressions import Impression, impression, overall, themes
from services.standalone.question import Question
from services.standalone.track_record import TrackRecord, of_results, of_rows
from shared.vocabulary import Sentiment

MARK = "[stand-in, no model]"
FORMS: tuple[type[AnyAnswer], ...] = (AgentAnswer, LanguageAnswer, TeamAnswer, LanguagesAnswer)

_BEST_SCORE, _WORST_SCORE = 8.5, 2.5  # what a clean record gets, and one that is all trouble
_LUCK = 3.0  # the width of what chance adds or takes
_ABOUT_SPEED = frozenset({"efficiency", "speed", "latency"})
_CITED = 5
_THEMES, _ASKED_FOR = 3, 2
_LEADING = 30  # words of a language that can be a theme of several


class UnknownFormError(Exception):
    """The answer is asked for in a form that no evaluator asks for."""


def form_of(fields: frozenset[str]) -> type[AnyAnswer]:
    """Which answer has these fields. Raises UnknownFormError."""
    for form in FORMS:
        if form.model_fields.keys() == fields:
            return form
    raise UnknownFormError(f"no answer has the fields {', '.join(sorted(fields))}")


def opinion(form: type[AnyAnswer], question: Question) -> AnyAnswer:
    """The answer to a question: the same for the same evidence, valid, in range."""
    if form is AgentAnswer:
        return _agent(question)
    if form is LanguageAnswer:
        return _language(question)
    return _team(question) if form is TeamAnswer else _languages(question)


def _agent(question: Question) -> AgentAnswer:
    record = of_rows(question.rows)
    doubtful = _listed(record.doubtful)
    return AgentAnswer(
        reasoning=f"{MARK} {record.in_words}",
        criteria=_scores(question, record),
        strengths=(f"{MARK} {record.clean} of {record.total} runs show no sign of trouble.",) if record.clean else (),
        weaknesses=(f"{MARK} Signs of trouble in rows {doubtful}.",) if record.doubtful else (),
        recommendations=(f"{MARK} Read rows {doubtful} first.",) if record.doubtful else (),
    )


def _team(question: Question) -> TeamAnswer:
    record = of_results(question.results) if question.results else of_rows(question.rows)
    named = question.results or question.evidence
    return TeamAnswer(
        reasoning=f"{MARK} {record.in_words}",
        criteria=_scores(question, record, cite=False),
        recommendations=(f"{MARK} Look at the {len(record.doubtful)} with signs of trouble.",)
        if record.doubtful
        else (),
        executive_summary=f"{MARK} A team of {len(named)}: {', '.join(item.name for item in named[:_CITED])}"
        f"{', and others' if len(named) > _CITED else ''}. {record.in_words}",
    )


def _scores(question: Question, record: TrackRecord, *, cite: bool = True) -> tuple[CriterionAnswer, ...]:
    return tuple(
        CriterionAnswer(
            name=name,
            reasoning=f"{MARK} {record.in_words} The rest is chance that follows from the evidence.",
            evidence=record.doubtful[:_CITED] if cite else (),
            score=_score(question, record, name),
        )
        for name in question.criteria
    )


def _score(question: Question, record: TrackRecord, criterion: str) -> float | None:
    """Half points from 0 to 10: less for trouble, moved a little by chance; none where nothing is known."""
    if not record.total:
        return None
    doubtful = record.slow if criterion.lower() in _ABOUT_SPEED else len(record.doubtful)
    luck = _LUCK * (draw(question.role, question.key, criterion, record) - 0.5)
    raw = _BEST_SCORE - (_BEST_SCORE - _WORST_SCORE) * doubtful / record.total + luck
    return min(10.0, max(0.0, round(2 * raw) / 2))


def _language(question: Question) -> LanguageAnswer:
    taken = [impression(row) for row in question.rows]
    by_sentiment = {
        sentiment: tuple(item.number for item in taken if item.sentiment is sentiment) for sentiment in Sentiment
    }
    good, bad, mixed = (
        by_sentiment[sentiment] for sentiment in (Sentiment.POSITIVE, Sentiment.NEGATIVE, Sentiment.MIXED)
    )
    neutral = len(by_sentiment[Sentiment.NEUTRAL])
    return LanguageAnswer(
        summary=f"{MARK} {len(taken)} reviews in {question.name}, sorted by words and signs: {len(good)} positive, "
        f"{len(bad)} negative, {len(mixed)} mixed, {neutral} neutral.",
        positive_themes=_themes([item for item in taken if item.sentiment is Sentiment.POSITIVE], _THEMES),
        negative_themes=_themes([item for item in taken if item.sentiment is Sentiment.NEGATIVE], _THEMES),
        feature_requests=_themes([item for item in taken if item.wishes], _ASKED_FOR),
        bug_reports=_themes([item for item in taken if item.faults], _ASKED_FOR),
        positive_reviews=good,
        negative_reviews=bad,
        mixed_reviews=mixed,
        sentiment=overall([item.sentiment for item in taken]),
    )


def _themes(taken: Sequence[Impression], most: int) -> tuple[ThemeAnswer, ...]:
    return tuple(ThemeAnswer(text=f"{MARK} {found.word}", reviews=found.numbers) for found in themes(taken, most))


def _languages(question: Question) -> LanguagesAnswer:
    taken = {group.key: [impression(row) for row in group.rows] for group in question.evidence}
    moods = {result.key: result.sentiment for result in question.results if result.sentiment}
    moods |= {key: overall([item.sentiment for item in several]) for key, several in taken.items()}
    alike = {
        mood: tuple(key for key, felt in moods.items() if felt is mood) for mood in Sentiment if mood in moods.values()
    }
    told = "; ".join(f"{mood}: {', '.join(keys)}" for mood, keys in alike.items()) or "nothing is known of them"
    worst = alike.get(Sentiment.NEGATIVE) or alike.get(Sentiment.MIXED) or ()
    return LanguagesAnswer(
        reasoning=f"{MARK} Languages by how their reviews sound: {told}.",
        themes=(
            *(SharedThemeAnswer(text=f"{MARK} sounds {mood}", languages=keys) for mood, keys in alike.items()),
            *_shared_words(taken),
        ),
        recommendations=(f"{MARK} Read the reviews in {', '.join(worst[:_CITED])} first.",) if worst else (),
        executive_summary=f"{MARK} Reviews in {len(moods)} languages: {told}.",
    )


def _shared_words(taken: Mapping[str, Sequence[Impression]]) -> list[SharedThemeAnswer]:
    """Words that lead in the reviews of more than one language, those of most languages first."""
    languages: defaultdict[str, list[str]] = defaultdict(list)
    for key, several in taken.items():
        for found in themes(several, _LEADING):
            languages[found.word].append(key)
    shared = sorted((-len(keys), word, tuple(keys)) for word, keys in languages.items() if len(keys) > 1)
    return [SharedThemeAnswer(text=f"{MARK} {word}", languages=keys) for _, word, keys in shared[:_THEMES]]


def _listed(numbers: Sequence[int]) -> str:
    more = len(numbers) - _CITED
    return ", ".join(map(str, numbers[:_CITED])) + (f" and {more} more" if more > 0 else "")
