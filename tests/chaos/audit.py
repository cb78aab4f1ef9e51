"""The laws, each checked from outside: what it returns is what is broken, in words, with the evidence."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shared.messages import Event, PartEvaluated, PartFailed, ReportStatus
from shared.vocabulary import Reason, Status
from tests.chaos.differences import differences
from tests.chaos.evidence import OUTCOME, Evidence
from tests.chaos.releases import UNHEARD
from tests.chaos.replay import replayed

_NOT_COMPARED = {"version", "workbook"}  # depend on how events were batched, and on how often a book was built


def every_report_ended(evidence: Evidence, promised: Mapping[str, int]) -> Iterator[str]:
    """Whatever was taken has a final state, of the generation that was promised."""
    for report_id, generation in promised.items():
        report = evidence.reports.get(report_id)
        if report is None:
            yield f"{report_id} was taken and is not known"
        elif not report.status.is_final:
            yield f"{report_id} has not ended: {report.status}, generation {report.generation}"
        elif report.generation < generation:
            yield f"{report_id} was to be tried again and was not: generation {report.generation} of {generation}"


def every_report_ended_once(evidence: Evidence) -> Iterator[str]:
    """Statuses, in the order of their versions, end once per generation; the last record is what is stored."""
    for report_id, report in evidence.reports.items():
        told = evidence.statuses.get(report_id, ())
        by_version: dict[int, ReportStatus] = {}
        for status in told:
            known = by_version.setdefault(status.version, status)
            if found := differences(known, status):
                yield f"{report_id}: version {status.version} was told in two ways: {found}"
        ends: dict[int, set[Status]] = defaultdict(set)
        for status in (by_version[version] for version in sorted(by_version)):
            if status.status.is_final:
                ends[status.generation].add(status.status)
            elif ends[status.generation]:
                yield f"{report_id}: generation {status.generation} went on after its end: {status.status}"
        yield from (
            f"{report_id}: generation {n} ended as {sorted(found)}" for n, found in ends.items() if len(found) > 1
        )
        if not told or (told[-1].version, told[-1].status) != (report.version, report.status):
            last = (told[-1].version, str(told[-1].status)) if told else None
            yield f"{report_id}: the last word is {last}, stored is {(report.version, str(report.status))}"


def every_part_has_one_outcome(evidence: Evidence) -> Iterator[str]:
    """One outcome is told per part and generation, the ledger's; and what is stored is the fold of what was told."""
    for report_id, report in evidence.reports.items():
        events = evidence.events.get(report_id, ())
        yield from _outcomes_told(evidence, events)
        parts = evidence.parts[report_id]
        yield from (f"{part.part_id} is still {part.status}" for part in parts if part.status.is_open)
        found = replayed(report_id, parts, events)
        if found.report is None:
            yield f"{report_id} is stored and was never accepted"
            continue
        if other := differences(report, found.report, _NOT_COMPARED):
            yield f"{report_id}: stored / as its events make it: {other}"
        for part in parts:
            if other := differences(part, found.parts[part.part_id]):
                yield f"{part.part_id}: stored / as its events make it: {other}"


def _outcomes_told(evidence: Evidence, events: Sequence[Event]) -> Iterator[str]:
    first: dict[str, PartEvaluated | PartFailed] = {}
    for event in events:
        if not isinstance(event, PartEvaluated | PartFailed) or (
            isinstance(event, PartFailed) and event.reason is Reason.NO_DATA
        ):
            continue
        key = f"{event.part_id}#{event.generation}"
        if other := differences(first.setdefault(key, event), event):
            yield f"{key} has two outcomes: {other}"
    for key, event in first.items():
        stored = evidence.outcomes.get(key)
        if stored is None:
            yield f"{key} was told and is not in the ledger"
        elif other := differences(event, OUTCOME.validate_json(stored.body)):
            yield f"{key}: told / in the ledger: {other}"


def every_workbook_names_its_parts(evidence: Evidence) -> Iterator[str]:
    """A planned report has a workbook, and every part of it is in there by name."""
    for report_id, report in evidence.reports.items():
        book = evidence.books.get(report_id)
        if book is None:
            if report.planned_at is not None:
                yield f"{report_id} ended as {report.status} without a workbook: {report.reason}"
            continue
        missing = [part.name for part in evidence.parts[report_id] if part.name not in book]
        if missing:
            yield f"{report_id}: its workbook does not name {missing}"


def only_the_unheard_is_dead(evidence: Evidence) -> Iterator[str]:
    """Dead letters are what no release here could read, and nothing else."""
    for record in evidence.dead:
        error = dict(record.headers).get("x-error", b"").decode()
        if UNHEARD.encode() not in (record.value or b""):
            yield f"dead letter in {record.topic}: {error}: {(record.value or b'')[:300]!r}"
