"""Measures a judge against people: a labelled set beside a finished report, joined by id, told in a few lines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from services.client.agreement import Agreement, Pair, agreement, figures, table
from services.client.judgements import SENTIMENTS, VERDICTS, Judgements, Report
from services.client.rows import InputError, Row, read_rows

SENTIMENT = "label_sentiment"
PASSED = "label_passed"
NOT_THERE = "not in the report"
NO_LANGUAGE = ""


class Label(NamedTuple):
    """What people say of a review or an agent; `group` is the review's language, if the set names it."""

    key: str
    word: str
    group: str = NO_LANGUAGE


class Labels(NamedTuple):
    """A labelled set, of one kind."""

    sentiment: tuple[Label, ...]
    passed: tuple[Label, ...]


class Compared(NamedTuple):
    """A labelled set beside a report: whom they agree on, by language as well, and how many could not be compared."""

    of: int
    whole: Agreement
    by_group: Mapping[str, Agreement]
    left_out: Counter[str]


def labels_in(path: Path, column: str | None = None) -> Labels:
    """The labels in a file of JSON lines; rows without one are left out. Raises InputError."""
    rows = read_rows(path)
    sentiment = tuple(_labels(rows, "review_id", column or SENTIMENT))
    passed = tuple(_labels([row for row in rows if "run_id" not in row.fields], "agent_id", column or PASSED))
    if not sentiment and not passed:
        raise InputError(f"{path}: no row has a review_id and {SENTIMENT}, or an agent_id and {PASSED}")
    return Labels(sentiment, passed)


def told(labels: Labels, report: Report, same: Mapping[str, str] | None = None) -> list[str]:
    """The comparison in lines; `same` says which words count as others. Raises InputError if nothing is in both."""
    taken = same or {}
    lines: list[str] = []
    if labels.sentiment:
        lines += _told("Sentiment", "reviews", compared(labels.sentiment, report.reviews, SENTIMENTS, taken))
    if labels.passed:
        lines += _told("Verdict", "agents", compared(labels.passed, report.agents, VERDICTS, taken))
    return lines


def compared(labels: Sequence[Label], judged: Judgements, order: Sequence[str], same: Mapping[str, str]) -> Compared:
    """Labels and judgements joined by id. Raises InputError if no id is in both."""
    pairs: dict[str, list[Pair]] = {}
    left_out: Counter[str] = Counter()
    for label in labels:
        said = judged.said.get(label.key)
        if said is None:
            left_out[judged.left_out.get(label.key, NOT_THERE)] += 1
        else:
            pair = Pair(same.get(label.word, label.word), same.get(said, said))
            pairs.setdefault(label.group, []).append(pair)
    if not pairs:
        why = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        raise InputError(f"nothing can be compared: of {len(labels):,} labelled, {why}")
    whole = agreement((pair for several in pairs.values() for pair in several), order)
    return Compared(len(labels), whole, {key: agreement(several, order) for key, several in pairs.items()}, left_out)


def same_words(given: Iterable[str]) -> dict[str, str]:
    """`mixed=neutral` as a mapping. Raises InputError."""
    split = [item.partition("=") for item in given]
    if wrong := [item for item, parts in zip(given, split, strict=True) if not (parts[0] and parts[2])]:
        raise InputError(f"--count-as {wrong[0]}: write WORD=WORD")
    return {one: other for one, _, other in split}


def _labels(rows: Sequence[Row], key: str, column: str) -> Iterator[Label]:
    for row in rows:
        word = _word(row.fields.get(column))
        if key in row.fields and word:
            yield Label(str(row.fields[key]), word, str(row.fields.get("language") or NO_LANGUAGE))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return VERDICTS[0] if value else VERDICTS[1]
    return value.strip().lower() if isinstance(value, str) else ""


def _told(what: str, things: str, found: Compared) -> list[str]:
    whole = found.whole
    left_out = "".join(f"; {count:,} {reason}" for reason, count in sorted(found.left_out.items()))
    labels = sum(count for pair, count in whole.pairs.items() if pair.label == whole.most_frequent)
    lines = [
        f"{what}: {whole.n:,} of {found.of:,} labelled {things} compared{left_out}",
        figures(whole),
        f"(always saying {whole.most_frequent!r} would have an accuracy of {labels / whole.n:.3f} and a kappa of 0)",
        "",
        *table(whole),
    ]
    if len(found.by_group) > 1:
        groups = sorted(found.by_group.items())
        width = max(len(group) for group, _ in groups)
        lines += ["", "By language:", *(f"  {group:{width}}  {figures(one)}" for group, one in groups)]
    return lines
