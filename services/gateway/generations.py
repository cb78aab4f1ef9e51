"""Decides which generation of a report a download is of, or says why there is none."""

from http import HTTPStatus

from services.gateway.problems import ProblemError
from shared.messages import ReportStatus
from shared.state import Generation, Report, StoredWorkbook


def wanted_workbook(status: ReportStatus, report: Report | None, number: int | None) -> StoredWorkbook:
    """The workbook of a generation; None: the latest there is. Raises ProblemError (404, 409)."""
    if number is None and report is not None and report.workbook is not None:
        return report.workbook
    workbook = wanted_generation(status, report, number).workbook
    if workbook is None:
        raise _nothing_yet(status)
    return workbook


def wanted_generation(status: ReportStatus, report: Report | None, number: int | None) -> Generation:
    """A generation that has a workbook; None: the latest that has one. Raises ProblemError (404, 409)."""
    if report is None or (number is None and report.workbook is None):
        raise _nothing_yet(status)
    meant = report.workbook.generation if number is None and report.workbook is not None else number
    found = next((generation for generation in report.generations if generation.generation == meant), None)
    if found is not None and found.workbook is not None:
        return found
    if found is not None and found.generation == report.generation:
        raise _nothing_yet(status)
    raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no workbook of generation {meant}.")


def _nothing_yet(status: ReportStatus) -> ProblemError:
    return ProblemError(HTTPStatus.CONFLICT, f"There is no workbook: the report is {status.status}.")
