"""What the workbook says of the traces of runs."""

from typing import Any

from services.renderer.cells import CellValue
from services.renderer.layout.about import Written
from services.renderer.layout.book import book
from services.renderer.layout.values import Sheet
from shared.evaluations import Facts, Part, Telemetry, Untraced
from shared.messages import Options
from tests.builders import a_judged_part, a_plan, a_report

KNOWN = Telemetry(traced=8, tool_calls=30, tool_errors=2, mean_seconds=1.5, untraced=(Untraced(why="none", runs=2),))


def telemetry_lines(parts: list[Part], **options: Any) -> list[tuple[CellValue, ...]]:
    laid = book(a_plan(pieces=len(parts), options=Options(**options)), a_report(parts), parts)
    about = laid.about(Written(0, 0, 0))
    lines = [tuple(cell.value for cell in row) for row in about.rows]
    return [line[1:] for line in lines if line[0] == "Telemetry"]


def agents(*known: Telemetry | None) -> list[Part]:
    return [
        a_judged_part(str(number), index=number, facts=Facts(rows=10, telemetry=item))
        for number, item in enumerate(known)
    ]


def test_about_counts_traced_runs_and_says_why_the_others_are_not() -> None:
    assert telemetry_lines(agents(KNOWN, KNOWN)) == [
        ("Runs with a trace", "16 of 20", "by Jaeger"),
        ("Runs without", 4, "none"),
    ]


def test_about_says_that_telemetry_was_wanted_and_not_read() -> None:
    assert telemetry_lines(agents(None)) == [("Runs with a trace", "not read", "no Jaeger was configured")]
    assert telemetry_lines(agents(None), telemetry=False) == []


def agents_sheet(parts: list[Part]) -> list[dict[str, CellValue]]:
    laid = book(a_plan(pieces=len(parts)), a_report(parts), parts)
    found: Sheet = next(item for item in laid.before if item.name == "Agents")
    assert found.header_row is not None
    headers = [str(cell.value) for cell in found.rows[found.header_row - 1]]
    body = found.rows[found.header_row : found.last_row]
    return [dict(zip(headers, (cell.value for cell in row), strict=True)) for row in body]


def test_agents_have_columns_for_telemetry_only_where_some_was_read() -> None:
    assert "Tool calls" not in agents_sheet(agents(None))[0]
    rows = {str(row["ID"]): row for row in agents_sheet(agents(KNOWN, Telemetry(), None))}
    assert (rows["0"]["Traced runs"], rows["0"]["Tool calls"], rows["0"]["Failed tool calls"]) == (8, 30, 2)
    assert (rows["1"]["Traced runs"], rows["1"]["Tool calls"]) == (0, "not known")
    assert (rows["2"]["Traced runs"], rows["2"]["Mean trace (s)"]) == (0, "not known")
