"""What a newer release has stored beside ours survives our fold: two releases run side by side during an upgrade."""

import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta

import pytest
from pydantic import SecretStr

from services.standalone import embedded
from services.standalone.ports import free_ports
from shared import lifeline
from shared.evaluations import Part
from shared.settings import MongoSettings
from shared.state import Change, Report
from shared.store import Store, connect
from shared.store.parts import part_document
from tests.builders import NOON, a_judged_part, a_part, a_report

RETENTION = timedelta(days=1)
NEWER = {"mood": {"of": "the judge"}}


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoSettings]:
    port = next(free_ports())
    program = embedded.database(port, tmp_path_factory.mktemp("database"), is_temporary=True)
    with subprocess.Popen(lifeline.command(*program.command), stderr=subprocess.DEVNULL) as process:
        url = SecretStr(f"mongodb://127.0.0.1:{port}/?directConnection=true")
        yield MongoSettings(url=url, _env_file=None)
        process.kill()


@pytest.fixture
async def store(mongo: MongoSettings) -> AsyncIterator[Store]:
    async with connect(mongo) as store:
        await store.prepare()
        yield store
        await store.client.drop_database(mongo.database)


async def test_a_field_that_only_a_newer_release_knows_survives_our_fold(store: Store) -> None:
    planned, report = a_part(), a_report([a_part()], status="evaluating")
    database = store.client["assay"]
    await database["parts"].insert_one(part_document(planned, NOON + RETENTION) | NEWER)
    await store.reports.fold(report.report_id, [], lambda *_: Change(report), RETENTION)
    await database["reports"].update_one({"_id": report.report_id}, {"$set": NEWER})
    judged = a_judged_part()

    def decide(found: Report | None, parts: Mapping[str, Part]) -> Change:
        assert found == report
        assert parts == {planned.part_id: planned}
        return Change(report.model_copy(update={"version": 1, "title": "changed"}), (judged,))

    await store.reports.fold(report.report_id, [planned.part_id], decide, RETENTION)

    for name, key in (("parts", planned.part_id), ("reports", report.report_id)):
        document = await database[name].find_one({"_id": key})
        assert document is not None
        assert document["mood"] == NEWER["mood"]
    assert [part async for part in store.parts.of_report(report.report_id)] == [judged]
    assert await store.reports.get(report.report_id) == report.model_copy(update={"version": 1, "title": "changed"})
