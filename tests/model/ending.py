"""What holds in the end, when nothing fails any more: every report ends, says so, and can be mended."""

from datetime import datetime, timedelta

from shared.evaluations import Part
from shared.state import Report
from shared.vocabulary import Reason, Status
from tests.model.database import FAILED
from tests.model.world import World

SOON_SECONDS = 160  # lapsed leases and waits for the next attempt included


class Ending:
    """The end of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._laws = world.laws
        self._stored = world.stored

    def come(self) -> None:
        """What holds in the end, when nothing fails any more: every report ends, and a retry mends it."""
        if self._laws.broken:
            return
        begun = self._world.utc()
        open_now = [report for report in self._stored.reports.stored.values() if not report.status.is_final]
        in_time = [report.report_id for report in open_now if report.deadline_at > begun + timedelta(seconds=300)]
        self._world.run_for(SOON_SECONDS, 4.0)
        if not self._world.lossy:
            for report_id in in_time:
                self._ended(report_id, "soon")
                late = [part.part_id for part in self._stored.parts.of(report_id).values() if self._late(part, begun)]
                self._laws.must(not late, f"{late} waited for the deadline")
        self._every_report_ends()
        self._a_retry_mends()
        self._laws.counted(self._stored.books.taken_over)

    def _late(self, part: Part, begun: datetime) -> bool:
        finished = part.reason is Reason.DEADLINE_PASSED and part.finished_at
        return bool(finished and finished > begun)

    def _every_report_ends(self) -> None:
        for report_id, requests in self._world.asked.items():
            if report_id not in self._stored.reports.stored:
                self._laws.must(self._world.lossy, f"the request for {report_id} was lost")
                for request in requests:  # as whoever asked does until the report is there
                    self._world.ask(request)
        self._world.run_for(1_400, 40.0)
        for report_id in self._world.asked:
            self._ended(report_id, "at all")

    def _ended(self, report_id: str, when: str) -> None:
        report = self._stored.reports.stored.get(report_id)
        if report is None or not report.status.is_final or report.render_wanted:
            self._laws.broken.append(f"{report_id} does not end {when}: {report and report.status}")
            return
        self._is_complete(report)

    def _is_complete(self, report: Report) -> None:
        published = self._laws.published.get(report.report_id)
        said = published is not None and published.version == report.version
        self._laws.must(said or self._world.lossy, f"{report.status} of {report.report_id} was never published")
        if not report.pieces:
            self._laws.must(report.status in {Status.REJECTED, Status.FAILED, Status.CANCELLED}, "an empty report")
            return
        book = report.workbook
        unbuilt = report.reason is not None and report.reason.startswith("the workbook could not be built")
        if book is None or book.generation != report.generation:
            self._laws.must(unbuilt, f"{report.report_id} has no workbook")
        elif not report.render_failures:
            there = self._stored.parts.of(report.report_id)
            self._laws.must(self._stored.files.stored[book.file_id] == there, "the workbook says something else")

    def _a_retry_mends(self) -> None:
        """All that failed is judged again, and now it succeeds."""
        if self._laws.broken:
            return
        mendable = [report for report in self._stored.reports.stored.values() if self._failed(report.report_id)]
        mendable = [report for report in mendable if report.pieces]
        for report in mendable:
            self._world.retry(report.report_id)
        self._world.run_for(SOON_SECONDS, 4.0)
        for report in mendable:
            left = self._failed(report.report_id)
            generation = self._stored.reports.stored[report.report_id].generation
            self._laws.must(generation == report.generation + 1, f"the retry of {report.report_id} was not taken")
            self._laws.must(not left, f"a retry left {left}")
            self._ended(report.report_id, "after a retry")

    def _failed(self, report_id: str) -> list[str]:
        parts = self._stored.parts.of(report_id).values()
        mute = [part for part in parts if part.reason is Reason.NO_DATA and part.stage == 0]
        mute += [part for part in parts if part.reason is Reason.BUDGET_EXHAUSTED]  # a retry gets no new budget
        if mute and all(part.status in FAILED for part in parts):
            mute += [part for part in parts if part.stage == 1]  # there is nothing to sum up
        return [part.part_id for part in parts if part.status in FAILED and part not in mute]
