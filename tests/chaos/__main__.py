"""`python -m tests.chaos`: a world, a load, malice, and the audit. Exits with 1 where a promise is broken."""

import argparse
import asyncio
import logging
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiokafka import AIOKafkaProducer

from shared.messages import PartEvaluated
from tests import apache_kafka
from tests.chaos import audit
from tests.chaos.evidence import Evidence, gathered, still_open, unfinished
from tests.chaos.load import DEADLINE_SECONDS, Load
from tests.chaos.malice import Malice
from tests.chaos.paid import Paid, paid
from tests.chaos.plan import blows, wishes
from tests.chaos.summary import table
from tests.chaos.world import World, now
from tests.stacks import until

QUIET_WITHIN_SECONDS = DEADLINE_SECONDS * 3 + 60  # a retry at the very end has a deadline of its own
MOST_SHOWN = 40


async def run(seed: int, seconds: float, folder: Path) -> int:
    """One course; the number of broken promises."""
    (folder / "kafka").mkdir()
    async with apache_kafka.apache_kafka(folder / "kafka") as kafka:
        world = World(folder, kafka)
        try:
            await world.start()
            return await _course(world, seed, seconds)
        finally:
            await world.end()


async def _course(world: World, seed: int, seconds: float) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=world.kafka.address, acks="all", enable_idempotence=True)
    await producer.start()
    load, malice = Load(world, producer), Malice(world)
    start = now()
    print(f"Everything is ready; {seconds:.0f} s of malice begin.", flush=True)
    try:
        watching = asyncio.create_task(world.watch())
        asking = asyncio.create_task(load.run(wishes(seed, seconds), start, seconds))
        await malice.run(blows(seed, seconds), start, seconds)
        calm = now()
        print(f"Malice ended after {calm - start:.0f} s; waiting until all is quiet.", flush=True)
        await world.all_ready()
        broken = await _quiet(world, load, asking)
        print(f"Quiet {now() - calm:.0f} s after the malice ended.", flush=True)
        watching.cancel()
    finally:
        await producer.stop()
    world.wounds.write_text("".join(f"{wound}\n" for wound in malice.wounds))
    evidence = await gathered(world, sorted(load.promised))
    bill = paid(evidence.calls, _evaluated(evidence), malice.wounds)
    broken += [*world.complaints, *_verdict(evidence, load.promised, bill)]
    print("\n".join(table(evidence, malice.wounds, bill)))
    print(f"asked        {load.sent} times; {malice.spared} blows found nobody at work in time")
    for line in broken[:MOST_SHOWN]:
        print(f"BROKEN: {line[:1500]}")
    return len(broken)


async def _quiet(world: World, load: Load, asking: "asyncio.Task[None]") -> list[str]:
    """Wait until all wishes are seen to, all reports have ended and every record is acknowledged."""

    async def done() -> bool | None:
        if not asking.done() or any((await unfinished(world)).values()):
            return None
        return not await still_open(world, [*load.promised]) or None

    try:
        await until(done, "all to be quiet", QUIET_WITHIN_SECONDS)
    except AssertionError as error:
        asking.cancel()
        return [f"{error}: {await still_open(world, [*load.promised])}, {await unfinished(world)}"]
    asking.result()
    await world.all_left()
    return []


def _evaluated(evidence: Evidence) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for key, outcome in evidence.outcomes.items():
        if outcome.kind == PartEvaluated.__name__:
            part_id = key.rpartition("#")[0]
            found[part_id] = found.get(part_id, 0) + 1
    return found


def _verdict(evidence: Evidence, promised: Mapping[str, int], bill: Paid) -> Iterator[str]:
    yield from audit.every_report_ended(evidence, promised)
    yield from audit.every_report_ended_once(evidence)
    yield from audit.every_part_has_one_outcome(evidence)
    yield from audit.every_workbook_names_its_parts(evidence)
    yield from audit.only_the_unheard_is_dead(evidence)
    yield from bill.inexcusable


def main() -> None:
    """Read the command line, run one course, say what was broken and how to see it again."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="what is done and when follows from it; default: a new one")
    parser.add_argument("--seconds", type=float, default=300, help="of malice; the end takes as long as it takes")
    parser.add_argument("--keep", type=Path, help="where to leave logs and data; default: nowhere, unless broken")
    wanted = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # loud while the broker is away
    if lacking := apache_kafka.missing():
        print(f"{lacking}: no chaos.")
        return
    seed = secrets.randbelow(1_000_000) if wanted.seed is None else wanted.seed
    folder = wanted.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"CHAOS_SEED={seed} CHAOS_SECONDS={wanted.seconds:.0f}", flush=True)
    broken = asyncio.run(run(seed, wanted.seconds, folder))
    if broken:
        print(f"{broken} promises are broken; logs and data are in {folder}.")
        print(f"Again: make chaos CHAOS_SEED={seed} CHAOS_SECONDS={wanted.seconds:.0f}")
        sys.exit(1)
    print("Every promise was kept.")
    if wanted.keep is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
