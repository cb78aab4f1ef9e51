"""The documents that go over HTTP: what is asked for, the status document, the list of reports."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pydantic import Field

from shared.evaluations import Count, Facts, Part, Score, Trials, Usage, Value
from shared.messages import Counts, ReportId, ReportRequested, ReportSpec, ReportStatus, Workbook
from shared.state import Generation
from shared.statuses import headline_score
from shared.vocabulary import Kind, PartStatus, Reason, Role, Status


class Links(Value):
    """Where a report is found."""

    self: str
    events: str
    workbook: str
    results_csv: str = ""
    results_json: str = ""


class ReportBody(ReportSpec):
    """The body of `POST /reports`. `owner` and `data_sha256` are the gateway's to say: what is sent is ignored."""

    report_id: ReportId | None = Field(None, description="made up if absent; the same one again is the same report")


class Accepted(Value):
    """The request is stored and will be served. `generation` is the one that it is about: the next, for a retry."""

    report_id: str
    generation: int
    links: Links


class RetryBody(Value):
    """What to judge again; None means every errored and cancelled part."""

    part_ids: tuple[str, ...] | None = Field(None, max_length=1000)


class PartRow(Value):
    """One part in the status document; `seconds` is the time of all attempts.

    `usage` is the judge's; tokens and cost of what is judged, an agent's own runs, are among its `facts`.
    """

    part_id: str
    role: Role
    key: str
    name: str
    status: PartStatus
    score: Score | None
    passed: bool | None
    reason: Reason | None
    detail: str
    attempts: Count
    seconds: float
    usage: Usage
    facts: Facts = Facts()
    trials: Trials | None = None
    saved: Usage | None = None
    retry_at: datetime | None


class GenerationRow(Value):
    """How far a report came in one generation; `workbook` is what was built of it."""

    generation: int
    status: Status
    reason: str | None
    score: float | None
    completed: Count
    errored: Count
    cancelled: Count
    planned_at: datetime | None
    completed_at: datetime | None
    workbook: Workbook | None


class StatusDocument(ReportStatus):
    """A report's status with its parts, a thousand at a time: `parts_next` is the `parts_after` of the next page.

    `generations` are the first judging and every retry, the present one last.
    """

    parts: tuple[PartRow, ...] = ()
    parts_next: int | None = None
    generations: tuple[GenerationRow, ...] = ()


class ReportPage(Value):
    """Reports, newest first; `next` is the `after` of the next page."""

    reports: tuple[ReportStatus, ...]
    next: str | None = None


class Addresses(NamedTuple):
    """The addresses under which the world sees this gateway."""

    base: str

    def of(self, report_id: str) -> Links:
        """Where a report is found."""
        place = f"{self.base}/reports/{report_id}"
        return Links(
            self=place,
            events=f"{place}/events",
            workbook=f"{place}/workbook",
            results_csv=f"{place}/results.csv",
            results_json=f"{place}/results.json",
        )

    def linked(self, status: ReportStatus) -> ReportStatus:
        """The status with its workbook's address."""
        if status.workbook is None:
            return status
        workbook = status.workbook.model_copy(update={"href": self.of(status.report_id).workbook})
        return status.model_copy(update={"workbook": workbook})

    def generation(self, report_id: str, reached: Generation) -> GenerationRow:
        """A generation with its workbook's address."""
        href = f"{self.of(report_id).workbook}?generation={reached.generation}"
        stored = reached.workbook
        workbook = Workbook(sha256=stored.sha256, bytes=stored.bytes, href=href) if stored else None
        return GenerationRow.model_validate({**dict(reached), "score": headline_score(reached), "workbook": workbook})


def accepted_status(request: ReportRequested, accepted_at: datetime) -> ReportStatus:
    """The status of a report that the renderer does not know yet."""
    return ReportStatus(
        report_id=request.report_id,
        version=0,
        generation=1,
        kind=Kind(request.kind),
        title=request.title,
        owner=request.owner,
        metadata=request.metadata,
        status=Status.ACCEPTED,
        progress=0,
        current_step="Waiting to be planned",
        counts=Counts(),
        accepted_at=accepted_at,
    )


def document_of(status: ReportStatus, parts: Iterable[Part], parts_next: int | None) -> StatusDocument:
    """The status document, but for its generations."""
    rows = tuple(PartRow.model_validate(part, from_attributes=True) for part in parts)
    return StatusDocument.model_construct(**dict(status), parts=rows, parts_next=parts_next)
