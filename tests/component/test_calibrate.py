"""A judge whose errors are known, measured from its workbook against what people say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.client import judgements
from services.client.agreement import Pair
from services.client.calibrate import NOT_THERE, Label, compared, labels_in, same_words, told
from services.client.judgements import NOT_JUDGED, NOT_SHOWN, SENTIMENTS, TWICE, UNSCORED
from services.client.rows import InputError
from services.renderer.workbook import write
from shared.evaluations import FrozenRow, Part
from shared.vocabulary import Kind
from tests.builders import (
    a_failed_part,
    a_judged_language,
    a_judged_part,
    a_language_evaluation,
    a_plan,
    a_report,
    a_row,
    streamed,
)

# What people say, and what the judge said: rows and columns positive, negative, neutral, mixed.
KNOWN = {
    "positive": {"positive": 40, "negative": 5, "neutral": 3, "mixed": 2},
    "negative": {"positive": 4, "negative": 22, "neutral": 4, "mixed": 0},
    "neutral": {"positive": 1, "negative": 3, "neutral": 16, "mixed": 0},
}


async def workbook(folder: Path, parts: Sequence[Part], rows: Sequence[FrozenRow] = (), **plan: Any) -> Path:
    path = folder / "report.xlsx"
    planned = a_plan(pieces=len(parts), rows=len(rows), **plan)
    await write(path, planned, a_report(parts), parts, streamed(rows))
    return path


def file_of(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


async def a_judge_with_known_errors(folder: Path) -> tuple[Path, Path]:
    """Its workbook, and the labels: every fourth review in German, the others in English."""
    said: dict[tuple[str, str], list[str]] = {}
    labels: list[dict[str, str]] = []
    rows: list[FrozenRow] = []
    for label, judged in KNOWN.items():
        for word, count in judged.items():
            for _ in range(count):
                number = len(labels)
                language = "en" if number % 4 else "de"
                labels.append({"review_id": f"r{number}", "language": language, "label_sentiment": label})
                rows.append(a_row(language, f"r{number}", text="T", label_sentiment=label))
                said.setdefault((language, word), []).append(f"r{number}")
    parts = [
        a_judged_language(
            key,
            evaluation=a_language_evaluation(
                **{f"{word}_ids": tuple(said[key, word]) for word in ("positive", "negative", "mixed")}
            ),
        )
        for key in ("de", "en")
    ]
    return await workbook(folder, parts, rows, kind=Kind.REVIEWS), file_of(folder, labels)


async def test_the_errors_of_a_judge_are_found_as_they_were_made(tmp_path: Path) -> None:
    path, labels = await a_judge_with_known_errors(tmp_path)
    found = compared(labels_in(labels).sentiment, judgements.read(path).reviews, SENTIMENTS, {})
    assert found.whole.pairs == {
        Pair(label, word): count for label, row in KNOWN.items() for word, count in row.items() if count
    }
    assert (found.of, found.whole.n, found.whole.accuracy) == (100, 100, 0.78)
    by_chance = (50 * 45 + 30 * 30 + 20 * 23) / 100**2
    assert found.whole.kappa == pytest.approx((0.78 - by_chance) / (1 - by_chance))
    assert {key: one.n for key, one in found.by_group.items()} == {"de": 25, "en": 75}


async def test_it_is_told_with_its_n_the_table_and_each_language(tmp_path: Path) -> None:
    path, labels = await a_judge_with_known_errors(tmp_path)
    lines = told(labels_in(labels), judgements.read(path))
    assert lines[:3] == [
        "Sentiment: 100 of 100 labelled reviews compared",
        "accuracy 0.780 (78 of 100), Cohen's kappa 0.656",
        "(always saying 'positive' would have an accuracy of 0.500 and a kappa of 0)",
    ]
    assert [line.split() for line in lines[4:9]] == [
        ["label", "\\", "judged", "positive", "negative", "mixed", "neutral"],
        ["positive", "40", "5", "2", "3"],
        ["negative", "4", "22", "0", "4"],
        ["mixed", "0", "0", "0", "0"],
        ["neutral", "1", "3", "0", "16"],
    ]
    assert [line.split()[0] for line in lines[-2:]] == ["de", "en"]


async def test_a_word_can_count_as_another(tmp_path: Path) -> None:
    path, labels = await a_judge_with_known_errors(tmp_path)
    same = same_words(["mixed=positive"])
    found = compared(labels_in(labels).sentiment, judgements.read(path).reviews, SENTIMENTS, same)
    assert found.whole.agreed == 80
    with pytest.raises(InputError, match="WORD=WORD"):
        same_words(["mixed"])


async def test_only_reviews_that_the_judge_read_are_compared_and_the_others_counted_by_why(tmp_path: Path) -> None:
    parts = [a_judged_language("en"), a_failed_part("de")]
    rows = [a_row("en", "r1"), a_row("en", "r2", used=False), a_row("de", "r3"), a_row("en", "r4"), a_row("en", "r4")]
    path = await workbook(tmp_path, parts, rows, kind=Kind.REVIEWS)
    found = judgements.read(path).reviews
    assert found.said == {"r1": "positive"}
    assert found.left_out == {"r2": NOT_SHOWN, "r3": NOT_JUDGED, "r4": TWICE}
    labels = [Label(f"r{number}", "positive") for number in range(1, 7)]
    counted = compared(labels, found, SENTIMENTS, {})
    assert (counted.whole.n, counted.of) == (1, 6)
    assert counted.left_out == {NOT_SHOWN: 1, NOT_JUDGED: 1, TWICE: 1, NOT_THERE: 2}


AGENTS = [a_judged_part("1", 9.0), a_judged_part("2", 2.0), a_judged_part("3", None), a_failed_part("4")]


async def test_verdicts_on_agents_are_compared_with_label_passed(tmp_path: Path) -> None:
    path = await workbook(tmp_path, AGENTS)
    found = judgements.read(path).agents
    assert found.said == {"1": "passed", "2": "not passed"}
    assert found.left_out == {"3": UNSCORED, "4": NOT_JUDGED}
    labels = file_of(tmp_path, [{"agent_id": 1, "label_passed": True}, {"agent_id": 2, "label_passed": True}])
    assert told(labels_in(labels), judgements.read(path))[1].startswith("accuracy 0.500 (1 of 2)")


def test_verdicts_are_read_from_results_as_json_as_well_and_reviews_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"parts": [part.model_dump(mode="json") for part in AGENTS]}))
    assert judgements.read(path).agents.said == {"1": "passed", "2": "not passed"}
    path.write_text(json.dumps({"parts": [a_judged_language().model_dump(mode="json")]}))
    with pytest.raises(InputError, match="stands in the workbook alone"):
        judgements.read(path)


@pytest.mark.parametrize("name", ["report.xlsx", "report.json"])
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("hello")
    with pytest.raises(InputError, match=name):
        judgements.read(path)


def test_labels_are_read_from_their_column_and_rows_without_one_are_left_out(tmp_path: Path) -> None:
    rows: list[dict[str, str | None]] = [
        {"review_id": "1", "label_sentiment": " Positive "},
        {"review_id": "2", "label_sentiment": None},
        {"review_id": "3", "mood": "negative"},
    ]
    path = file_of(tmp_path, rows)
    assert labels_in(path).sentiment == (Label("1", "positive"),)
    assert labels_in(path, "mood").sentiment == (Label("3", "negative"),)
    with pytest.raises(InputError, match="no row has"):
        labels_in(path, "nothing")


def test_labels_of_another_report_are_refused() -> None:
    with pytest.raises(InputError, match="of 1 labelled, 1 not in the report"):
        compared([Label("1", "positive")], judgements.Judgements({}, {}), SENTIMENTS, {})
