"""What a retry reopens, and what it leaves alone."""

import pytest

from services.renderer.report import MOST_GENERATIONS
from shared.messages import ReportPlanned
from shared.vocabulary import PartStatus, Reason, Status
from tests.unit.renderer.folding import (
    OVERVIEW,
    AReport,
    cancelled,
    deadline,
    evaluated,
    failed,
    id_of,
    planned,
    rendered,
)


def retry(report: AReport, *keys: str, generation: int = 2) -> ReportPlanned:
    part_ids = tuple(map(id_of, keys)) or None
    mode = report.report.overview_mode or "synthesis"
    return planned(generation=generation, overview=mode, pieces=len(report.keys), part_ids=part_ids)


def partly_failed(mode: str = "synthesis") -> AReport:
    """One piece judged, one failed, the overview judged, the workbook there."""
    report = AReport(("7", "8"), mode).begun()
    return report.each([evaluated("7"), failed("8"), evaluated(OVERVIEW), rendered()])


def test_a_retry_opens_the_failed_part_and_in_synthesis_the_overview() -> None:
    report = partly_failed()
    report.folds(retry(report))

    assert report.status is Status.EVALUATING
    assert report.part("7").status is PartStatus.COMPLETED
    assert (report.part("8").status, report.part("8").generation) == (PartStatus.PENDING, 2)
    assert report.part(OVERVIEW).status is PartStatus.PENDING
    assert not report.due.overview


def test_the_old_error_stays_until_the_new_result_is_there() -> None:
    report = partly_failed()
    report.folds(retry(report))
    assert report.part("8").reason is Reason.TIMED_OUT

    report.folds(evaluated("8", generation=2))

    assert report.part("8").reason is None
    assert report.due.overview


def test_a_concurrent_overview_that_was_judged_is_not_judged_again() -> None:
    report = partly_failed("concurrent")
    report.folds(retry(report))
    assert report.part(OVERVIEW).status is PartStatus.COMPLETED

    report.each([evaluated("8", generation=2), rendered(2)])

    assert report.status is Status.COMPLETED
    assert report.report.completed_at is not None


def test_results_of_the_first_generation_do_not_count_in_the_second() -> None:
    report = partly_failed()
    report.folds(retry(report))

    folded = report.folds(evaluated("8", generation=1))

    assert folded.dropped == ("stale",)
    assert report.part("8").status is PartStatus.PENDING


def test_only_the_parts_named_are_opened() -> None:
    report = AReport(("7", "8", "9")).begun().each([evaluated("7"), failed("8"), failed("9")])
    report.each([evaluated(OVERVIEW), rendered()])
    report.folds(retry(report, "9", "7"))

    assert [report.part(key).status for key in ("7", "8", "9")] == [
        PartStatus.COMPLETED,
        PartStatus.ERRORED,
        PartStatus.PENDING,
    ]


def test_a_retry_of_a_cancelled_report_judges_what_was_left() -> None:
    report = AReport().begun().each([evaluated("7"), cancelled(), rendered()])
    assert report.part("8").status is PartStatus.CANCELLED

    report.folds(retry(report))
    report.each([evaluated("8", generation=2), evaluated(OVERVIEW, generation=2), rendered(2)])

    assert report.status is Status.COMPLETED


def test_usage_of_all_generations_adds_up() -> None:
    report = partly_failed()
    before = report.report.input_tokens
    report.folds(retry(report))
    report.folds(evaluated("8", generation=2))

    assert report.report.input_tokens == before + 1_000


def test_a_retry_and_its_outcome_in_one_batch_count_once() -> None:
    report = partly_failed()
    report.folds(retry(report), evaluated("8", generation=2), retry(report), evaluated("8", generation=2))

    assert report.report.generation == 2
    assert report.report.completed == 2


@pytest.mark.parametrize("generation", [1, 3])
def test_only_the_next_generation_can_be_begun(generation: int) -> None:
    report = partly_failed()
    before = report.outcome

    report.folds(retry(report, generation=generation))

    assert report.outcome == before


def test_a_report_under_way_or_without_failures_is_not_retried() -> None:
    under_way = AReport().begun().each([failed("7")])
    complete = AReport().all_evaluated().each([rendered()])

    for report in (under_way, complete):
        before = report.outcome
        report.folds(retry(report))
        assert report.outcome == before


def test_a_retry_ends_at_its_own_deadline() -> None:
    report = partly_failed()
    report.folds(retry(report))
    report.each([deadline(1), deadline(2), rendered(2)])

    assert report.status is Status.COMPLETED_WITH_ERRORS
    assert report.part("8").reason is Reason.DEADLINE_PASSED


def test_the_generation_before_a_retry_is_kept_with_its_workbook() -> None:
    report = partly_failed()
    workbook = report.report.workbook
    report.folds(retry(report))

    (first,) = report.report.earlier
    assert (first.generation, first.status, first.errored) == (1, Status.COMPLETED_WITH_ERRORS, 1)
    assert first.workbook == workbook is not None
    assert report.report.generations[-1].workbook is None  # the second has none yet

    report.each([evaluated("8", generation=2), evaluated(OVERVIEW, generation=2), rendered(2)])
    assert [(each.generation, each.status) for each in report.report.generations] == [
        (1, Status.COMPLETED_WITH_ERRORS),
        (2, Status.COMPLETED),
    ]
    assert report.report.generations[-1].workbook == report.report.workbook


def test_a_retry_that_finds_nothing_keeps_nothing() -> None:
    report = partly_failed()
    report.folds(retry(report, "7"))
    assert report.report.earlier == ()


def test_only_the_last_generations_are_kept() -> None:
    report = partly_failed()
    for generation in range(2, MOST_GENERATIONS + 4):
        report.folds(retry(report, generation=generation))
        report.each([failed("8", generation=generation), evaluated(OVERVIEW, generation=generation)])
        report.folds(rendered(generation))
    assert [each.generation for each in report.report.earlier] == list(range(3, MOST_GENERATIONS + 3))
