"""What About says of a report that was retried."""

from services.renderer.layout.history import MAX_CHANGES, Entry, history
from services.renderer.layout.results import results
from services.renderer.past import Past
from shared.evaluations import Part
from shared.state import EarlierResult, Generation, StoredWorkbook
from shared.vocabulary import PartStatus, Reason, Status
from tests.builders import a_failed_part, a_judged_part, a_plan, a_report, an_overview, at

PARTS = (
    a_judged_part("1"),
    a_judged_part("2", generation=3),
    a_failed_part("3", Reason.REFUSED, generation=2),
    an_overview(generation=3),
)
BOOK = StoredWorkbook(file_id="1", sha256="ab" * 32, bytes=1, generation=1)


def ended(number: int, completed: int, workbook: StoredWorkbook | None = None) -> Generation:
    return Generation(
        generation=number,
        status=Status.COMPLETED_WITH_ERRORS,
        completed=completed,
        planned_at=at(number * 100),
        evaluated_at=at(number * 100 + 50),
        workbook=workbook,
    )


def before(part: Part, generation: int, reason: Reason | None = None) -> EarlierResult:
    status = PartStatus.ERRORED if reason else PartStatus.COMPLETED
    return EarlierResult(part.part_id, generation, status, reason)


EARLIER = (
    before(PARTS[1], 1, Reason.TIMED_OUT),
    before(PARTS[1], 2, Reason.RATE_LIMITED),
    before(PARTS[2], 1, Reason.TIMED_OUT),
    before(PARTS[3], 1),
    before(PARTS[3], 2),
)


def told(earlier: tuple[EarlierResult, ...] = EARLIER) -> list[Entry]:
    report = a_report(PARTS, generation=3, earlier=(ended(1, 1, BOOK), ended(2, 1)), overview=PartStatus.COMPLETED)
    return list(history(results(a_plan(), report, PARTS, Past(earlier))))


def test_a_report_that_was_never_retried_has_no_history() -> None:
    assert not list(history(results(a_plan(), a_report(PARTS), PARTS)))


def test_every_generation_says_when_how_it_ended_and_what_became_of_the_parts_judged_again() -> None:
    assert [(entry.item, entry.value) for entry in told()] == [
        ("Generation 1", "completed with errors; 1 of 3 parts completed"),
        ("Generation 2", "completed with errors; 1 of 3 parts completed"),
        ("Judged again: Overview", "completed → completed"),
        ("Judged again: Agent 2", "errored: timed out → errored: rate limited"),
        ("Judged again: Agent 3", "errored: timed out → errored: refused"),
        ("Generation 3", "completed with errors; 2 of 3 parts completed"),
        ("Judged again: Overview", "completed → completed"),
        ("Judged again: Agent 2", "errored: rate limited → completed"),
    ]
    notes = [entry.note for entry in told() if entry.note]
    assert "planned 2026-11-24 12:01:40 UTC, last outcome 2026-11-24 12:02:30 UTC" in notes[0]
    assert BOOK.sha256 in notes[0]
    assert notes[1].startswith("3 parts judged again")
    assert "none" in notes[1]
    assert "this one" in notes[2]


def test_a_retry_before_results_were_kept_says_so() -> None:
    assert Entry("Judged again: Agent 2", "not kept → completed") in told(())


def test_a_long_history_is_cut_and_counted() -> None:
    many = tuple(a_judged_part(str(number), generation=2) for number in range(MAX_CHANGES + 5))
    report = a_report(many, generation=2, earlier=(ended(1, 0),))
    found = list(history(results(a_plan(pieces=len(many)), report, many)))
    assert len(found) == MAX_CHANGES + 3
    assert found[-1].value == "5"
