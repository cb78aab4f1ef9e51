"""Where everything stands: the names of the sheets, and the address of every part's row and detail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.renderer.cells import SheetNames, reference
from services.renderer.layout import words
from services.renderer.layout.results import Results

SUMMARY = "Summary"
COMPARISON = "Comparison"
DETAILS = "Details"
FAILURES = "Failures"
DISTRIBUTION = "Distribution"
SENTIMENT = "Sentiment"
ABOUT = "About"
MAX_DETAIL_SHEETS = 50
MAX_ROWS = 1_048_576  # of a sheet, its header included

_FIXED = (
    SUMMARY,
    "Agents",
    "Languages",
    COMPARISON,
    DETAILS,
    FAILURES,
    "Runs",
    "Reviews",
    SENTIMENT,
    DISTRIBUTION,
    ABOUT,
)


class Place(NamedTuple):
    """A row on a sheet."""

    sheet: str
    row: int = 1

    @property
    def address(self) -> str:
        """For a link."""
        return reference(self.sheet, self.row)


@dataclass(frozen=True, slots=True)
class Places:
    """`parts` is the sheet that lists them; `details` and `rows` are by part_id; `data` are its sheets in order."""

    parts: str
    data: tuple[str, ...]
    rows: Mapping[str, Place]
    details: Mapping[str, Place]

    @property
    def one_sheet_each(self) -> bool:
        """Every part has a detail sheet of its own."""
        return all(place.sheet != DETAILS for place in self.details.values())


def places(results: Results, lengths: Iterable[int], rows_per_sheet: int = MAX_ROWS) -> Places:
    """Where everything will stand; `lengths` are the rows of each part's detail, in the order of `results.parts`."""
    names = SheetNames(_FIXED)
    stem = "Runs" if results.is_agents else "Reviews"
    more = -(-results.plan.rows // (rows_per_sheet - 1)) - 1
    data = (stem, *(names.claim(f"{stem} ({number})") for number in range(2, more + 2)))
    home = "Agents" if results.is_agents else "Languages"
    rows = {part.part_id: Place(home, number) for number, part in enumerate(results.pieces, 2)}
    if results.overview:
        rows[results.overview.part_id] = Place(SUMMARY)
    return Places(home, data, rows, _details(results, lengths, names))


def _details(results: Results, lengths: Iterable[int], names: SheetNames) -> Mapping[str, Place]:
    if len(results.pieces) <= MAX_DETAIL_SHEETS:
        return {part.part_id: Place(names.claim(words.name(part))) for part in results.parts}
    found: dict[str, Place] = {}
    row = 2
    for part, length in zip(results.parts, lengths, strict=True):
        found[part.part_id] = Place(DETAILS, row)
        row += length
    return found
