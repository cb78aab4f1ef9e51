"""Reads, from outside, what became of everything: topics, database, workbooks, and the judge's own journal."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from openpyxl import load_workbook
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from shared.evaluations import Part
from shared.messages import Event, Outcome, ReportStatus
from shared.settings import MongoSettings
from shared.state import Report
from shared.store import Store, connect
from shared.store.ledger import StoredOutcome
from shared.topics import dead, named
from tests.chaos.world import World

EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
GROUPS = {
    "assay-orchestrator.report.requests": "report.requests",
    "assay-evaluator.evaluation.tasks": "evaluation.tasks",
    "assay-evaluator.evaluation.tasks.bulk": "evaluation.tasks.bulk",
    "assay-renderer.report.events": "report.events",
}

Message = TypeVar("Message", ReportStatus, Event)


class Call(NamedTuple):
    """A call as the judge saw it. `ended` is None where the judge died first; `fault` is what the judge did wrong."""

    who: str
    part_id: str
    fault: str | None
    began: float
    ended: float | None
    answered: bool


class Evidence(NamedTuple):
    """All that the audit judges by."""

    reports: Mapping[str, Report]
    parts: Mapping[str, Sequence[Part]]
    outcomes: Mapping[str, StoredOutcome]
    statuses: Mapping[str, Sequence[ReportStatus]]
    events: Mapping[str, Sequence[Event]]
    dead: Sequence[ConsumerRecord[bytes, bytes]]
    calls: Sequence[Call]
    books: Mapping[str, str]


async def unfinished(world: World) -> dict[str, int]:
    """By group, how many records it has not acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka.address)
    await admin.start()
    consumer = AIOKafkaConsumer(bootstrap_servers=world.kafka.address)
    await consumer.start()
    try:
        behind = {}
        for group, topic in GROUPS.items():
            places = [TopicPartition(topic, number) for number in await _partitions(consumer, topic)]
            ends = await consumer.end_offsets(places)
            done = await admin.list_consumer_group_offsets(group, partitions=places)
            behind[group] = sum(ends[place] - max(0, done[place].offset) for place in places)
        return behind
    finally:
        await consumer.stop()
        await admin.close()


async def still_open(world: World, report_ids: Sequence[str]) -> list[str]:
    """The reports that have not ended, or wait for another workbook."""
    async with connect(MongoSettings(url=SecretStr(world.mongo), _env_file=None)) as store:
        found = [await store.reports.get(name) for name in report_ids]
    return [
        f"{name} {report.status if report else 'unknown'}"
        for name, report in zip(report_ids, found, strict=True)
        if report is None or not report.status.is_final or report.render_wanted
    ]


async def gathered(world: World, report_ids: Sequence[str]) -> Evidence:
    """Read everything there is about these reports."""
    topics = named("")
    async with connect(MongoSettings(url=SecretStr(world.mongo), _env_file=None)) as store:
        reports = {name: report for name in report_ids if (report := await store.reports.get(name))}
        parts = {name: [part async for part in store.parts.of_report(name)] for name in report_ids}
        keys = [
            f"{part.part_id}#{generation}"
            for name, planned in parts.items()
            for part in planned
            for generation in range(1, (reports[name].generation if name in reports else 1) + 1)
        ]
        outcomes = await store.ledger.outcomes(keys)
        books = {name: await _book(store, report) for name, report in reports.items() if report.workbook}
    return Evidence(
        reports=reports,
        parts=parts,
        outcomes=outcomes,
        statuses=_by_report([_status(record) for record in await _read(world, topics.status)]),
        events=_by_report([event for record in await _read(world, topics.events) if (event := _event(record))]),
        dead=[record for topic in topics for record in await _read(world, dead(topic))],
        calls=calls(world.journal),
        books=books,
    )


async def _book(store: Store, report: Report) -> str:
    """All the text of a workbook, sheets by name; what is wrong with a file that cannot be read is raised."""
    assert report.workbook is not None
    content = b"".join([chunk async for chunk in store.workbooks.read(report.workbook.file_id)])
    book = load_workbook(io.BytesIO(content), read_only=True)
    cells = [
        str(cell) for sheet in book.worksheets for row in sheet.iter_rows(values_only=True) for cell in row if cell
    ]
    return "\n".join(cells)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    found = await consumer._client.fetch_all_metadata()  # there is no public way without subscribing
    return sorted(found.partitions_for_topic(topic) or [])


async def _read(world: World, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """All records of a topic as it is now, each partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=world.kafka.address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in await _partitions(consumer, topic)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[ConsumerRecord[bytes, bytes]] = []
        for place in places:
            while await consumer.position(place) < ends[place]:
                for records in (await consumer.getmany(place, timeout_ms=1000)).values():
                    found += records
        return found
    finally:
        await consumer.stop()


def _status(record: ConsumerRecord[bytes, bytes]) -> ReportStatus:
    return ReportStatus.model_validate_json(record.value)


def _event(record: ConsumerRecord[bytes, bytes]) -> Event | None:
    try:
        return EVENTS.validate_json(record.value)
    except ValidationError:
        return None  # of an unknown type: the dead letters tell


def _by_report(messages: Sequence[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.report_id, []).append(message)
    return found


class _Line(BaseModel):
    """One line of the journal: a call's beginning, or its end."""

    model_config = ConfigDict(frozen=True)

    run: int
    call: int
    at: float
    who: str = ""
    goal: str | None = None
    role: str | None = None
    key: str | None = None
    fault: str | None = None
    end: str | None = None


def calls(journal: Path) -> list[Call]:
    """The judge's journal, a beginning and an end made one."""
    lines = [_Line.model_validate_json(text) for text in journal.read_text().splitlines()]
    ends = {(line.run, line.call): line for line in lines if line.end}
    return [
        Call(
            who=line.who,
            part_id=f"{line.goal}/{line.role}/{line.key}",
            fault=line.fault,
            began=line.at,
            ended=end.at if end else None,
            answered=end is not None and end.end == "answered",
        )
        for line in lines
        if not line.end
        for end in [ends.get((line.run, line.call))]
    ]
