"""The whole workbook in the order of its tabs: what stands before the evidence, the evidence, what stands after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.renderer.layout.about import Written, about_sheet
from services.renderer.layout.comparison import comparison_sheets
from services.renderer.layout.data import DataTable, data_table
from services.renderer.layout.details import detail_sheets, entries
from services.renderer.layout.distribution import distribution_sheet
from services.renderer.layout.failures import failures_sheet
from services.renderer.layout.parts import parts_sheet
from services.renderer.layout.places import MAX_ROWS, Places, places
from services.renderer.layout.results import Results, results
from services.renderer.layout.sentiment import sentiment_sheets
from services.renderer.layout.summary import summary_sheet
from services.renderer.layout.values import Sheet
from services.renderer.past import NO_PAST, Past
from shared.evaluations import Part
from shared.state import Plan, Report


@dataclass(frozen=True, slots=True)
class Book:
    """A laid-out report. About comes last, as it says what writing all the others took."""

    results: Results
    places: Places

    @property
    def before(self) -> tuple[Sheet, ...]:
        """Summary, the list of parts, the details, the failures, how each review was read."""
        return (
            summary_sheet(self.results, self.places),
            parts_sheet(self.results, self.places),
            *comparison_sheets(self.results, self.places),
            *detail_sheets(self.results, self.places),
            failures_sheet(self.results, self.places),
            *sentiment_sheets(self.results),
        )

    @property
    def data(self) -> DataTable:
        """The evidence."""
        return data_table(self.results, self.places)

    @property
    def distribution(self) -> Sheet:
        """The sheet after the evidence."""
        return distribution_sheet(self.results)

    def about(self, written: Written) -> Sheet:
        """The last sheet."""
        return about_sheet(self.results, written)


def book(
    plan: Plan, report: Report, parts: Sequence[Part], rows_per_sheet: int = MAX_ROWS, past: Past = NO_PAST
) -> Book:
    """Lay out a report. The order of `parts` is no matter."""
    found = results(plan, report, parts, past)
    return Book(found, places(found, [len(entries(part)) for part in found.parts], rows_per_sheet))
