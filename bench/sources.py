"""How much memory and time it takes to freeze the evidence of 100,000 reviews, in many languages and in one.

`python -m bench.sources` loads an embedded database, then plans each case in a process of its own, whose peak memory is
then that of the case alone: read, cut, frozen, stored. It prints the peak above what the process had before.
"""

import asyncio
import multiprocessing
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from services.orchestrator.freezing import Freezer
from services.orchestrator.planning import settle
from services.orchestrator.sources import source_of
from shared.messages import ReportRequested
from shared.settings import ReportSettings
from shared.store.sources import Window
from tests.single_programs import database, opened

NAME = "bench"
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TEXT = "It works well, but since the last update it takes three attempts to sign in, and then the list is empty. " * 2
BATCH = 5_000
MEGA = 2**20


class Case(NamedTuple):
    """An app with so many reviews in each of so many languages."""

    app_id: str
    languages: int
    each: int


CASES = (Case("small", 50, 20), Case("many", 50, 2_000), Case("few", 5, 20_000), Case("one", 1, 100_000))


class Measured(NamedTuple):
    """What freezing a case took."""

    rows: int
    seconds: float
    before_mib: float
    peak_mib: float


async def load(url: str, case: Case) -> None:
    """Put the app's reviews into the source database."""
    async with opened(url, NAME) as store:
        total = case.languages * case.each
        for start in range(0, total, BATCH):
            rows: list[dict[str, JsonValue | datetime]] = [
                {
                    "review_id": f"{case.app_id}-{number:06}",
                    "app_id": case.app_id,
                    "language": f"l{number % case.languages:02}",
                    "text": f"{number} {TEXT}",
                    "rating": 1 + number % 5,
                    "created_at": FIRST + timedelta(seconds=number),
                }
                for number in range(start, min(start + BATCH, total))
            ]
            await store.sources.load("reviews", rows, ["review_id"])


async def freeze(url: str, case: Case) -> Measured:
    """Freeze the app's evidence, as the orchestrator does for a request."""
    request = ReportRequested.model_validate({"report_id": case.app_id, "kind": "reviews", "app_id": case.app_id})
    settings = ReportSettings(_env_file=None)
    async with opened(url, NAME) as store:
        source = await source_of(request, store.uploads, store.sources, Window(None, NOW))
        pieces = await source.pieces()
        settled = settle(request, NOW, len(pieces), bulk_parts=settings.bulk_parts, partitions=24)
        freezer = Freezer(store, settings, settled, f"token-{case.app_id}", NOW + timedelta(days=30))
        before, begun = _peak_mib(), time.perf_counter()
        await freezer.freeze(source, pieces)
        return Measured(freezer.rows, time.perf_counter() - begun, before, _peak_mib())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(url: str, case: Case) -> Measured:
    """In this process, which does nothing else."""
    return asyncio.run(freeze(url, case))


async def main() -> None:
    """All cases, or those named on the command line."""
    wanted = [case for case in CASES if not sys.argv[1:] or case.app_id in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        async with database(Path(folder)) as url:
            for case in wanted:
                await load(url, case)
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    found = await asyncio.to_thread(pool.apply, _apart, (url, case))
                print(_line(case, found), flush=True)


def _line(case: Case, found: Measured) -> str:
    return (
        f"{case.languages:3d} languages of {case.each:7,d} reviews  {found.seconds:6.1f} s  "
        f"{found.rows / found.seconds:7,.0f} rows/s  peak {found.peak_mib:5.0f} MiB, "
        f"{found.peak_mib - found.before_mib:5.0f} above the start"
    )


if __name__ == "__main__":
    asyncio.run(main())
