"""The sheet `Sentiment`: how the judge read each review that it did not find neutral; `assay calibrate` reads it back.

A sheet of its own, as the evidence is written before anything is judged.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from services.renderer.layout import words
from services.renderer.layout.places import MAX_ROWS, SENTIMENT
from services.renderer.layout.results import Results
from services.renderer.layout.values import Column, Format, Sheet, table_sheet
from shared.evaluations import LanguageEvaluation, Part
from shared.vocabulary import PartStatus, Sentiment


class Reading(NamedTuple):
    """A review, and how it was read."""

    part: Part
    review_id: str
    sentiment: Sentiment


COLUMNS: tuple[Column[Reading], ...] = (
    Column("Language", lambda reading: words.name(reading.part), widest=32),
    Column("Review ID", lambda reading: reading.review_id, Format.ID, widest=40),
    Column("Judged as", lambda reading: str(reading.sentiment)),
)


def sentiment_sheets(results: Results) -> tuple[Sheet, ...]:
    """The sheet, of reports on reviews."""
    if results.is_agents:
        return ()
    readings = (reading for part in results.pieces for reading in _readings(part))
    return (table_sheet(SENTIMENT, COLUMNS, tuple(islice(readings, MAX_ROWS - 1))),)


def _readings(part: Part) -> Iterator[Reading]:
    found = part.evaluation
    if part.status is PartStatus.COMPLETED and isinstance(found, LanguageEvaluation):
        ids = {
            Sentiment.POSITIVE: found.positive_ids,
            Sentiment.NEGATIVE: found.negative_ids,
            Sentiment.MIXED: found.mixed_ids,
        }
        yield from (Reading(part, review_id, sentiment) for sentiment in ids for review_id in ids[sentiment])
