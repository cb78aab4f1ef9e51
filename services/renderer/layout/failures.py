"""The sheet `Failures`: every part without a result, why, and what to do about it; there also when none failed."""

from services.renderer.cells import CellValue
from services.renderer.layout import prose, words
from services.renderer.layout.places import FAILURES, Places
from services.renderer.layout.results import Results
from services.renderer.layout.values import Column, Format, Row, Sheet, Tone, table_sheet, text
from shared.evaluations import Part


def failures_sheet(results: Results, places: Places) -> Sheet:
    """The failed parts, the overview first."""
    none: tuple[Row, ...] = ((text("No part failed.", Tone.GOOD, in_table=False),),)
    linked: Column[Part] = Column(
        "Part", words.name, tone=lambda _: Tone.LINK, link=lambda part: places.details[part.part_id].address, widest=32
    )
    return table_sheet(
        FAILURES,
        (linked, *COLUMNS),
        results.failed,
        below=() if results.failed else none,
        frozen_columns=1,
        tone=Tone.BAD if results.failed else Tone.PLAIN,
    )


def _message(part: Part) -> str:
    return prose.shortened(part.detail, 1_000) or words.NONE


def _what_to_do(part: Part) -> str:
    return part.reason.what_to_do if part.reason else "Wait: its outcome is still to come."


def _first(part: Part) -> CellValue:
    return part.first_failed_at or part.finished_at or words.NOT_KNOWN


COLUMNS: tuple[Column[Part], ...] = (
    Column("Role", lambda part: str(part.role)),
    Column("Status", lambda part: str(part.status), tone=words.tone),
    Column("Reason", lambda part: words.reason(part.reason), tone=words.tone),
    Column("Message", _message, widest=44),
    Column("What to do", _what_to_do, widest=44),
    Column("Retryable", lambda part: "yes" if part.retryable else "no"),
    Column("Attempts", lambda part: part.attempts, Format.COUNT),
    Column("First failure (UTC)", _first, Format.TIME),
    Column("Last failure (UTC)", lambda part: part.finished_at or words.NOT_KNOWN, Format.TIME),
    Column("Seconds", lambda part: part.seconds, Format.SECONDS),
    Column("Cost (USD)", words.cost, Format.MONEY),
)
