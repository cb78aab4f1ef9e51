"""How many parts a second one evaluator of 10 slots does when the judge answers at once, beside a bare loop.

`python -m bench.throughput`. Assay's figure is from the acceptance of the first report to the stored workbook of the
last, ledger and crash safety included, on embedded parts. The bare loop asks the same questions, ten at once, through
`AsyncOpenAI.chat.completions.parse` and does nothing else; it runs before and after, in the process of this program.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import openai

from bench.measuring import follow, moment, usage, used
from services.evaluator.answers import answer_type
from services.evaluator.prompts import build
from shared.messages import EvaluationTask
from tests.requests import agents_request
from tests.single_programs import judge
from tests.stacks import Stack, start

PARTS = 400
RUNS = 3
ROUNDS = 4
AT_ONCE = 10


async def main() -> None:
    """One report of 400 parts, then 26 of 15."""
    with tempfile.TemporaryDirectory() as folder:
        stack = await start(Path(folder), LLM_MAX_CONCURRENCY=str(AT_ONCE))
        try:
            await assay(stack, 1, 15)  # the first report of a standalone is a cold one
            tasks = await published(stack, 15)
            before = await bare(tasks)
            one = [await assay(stack, 1, PARTS) for _ in range(ROUNDS)]
            many = [await assay(stack, 26, 15) for _ in range(ROUNDS)]
            after = await bare(tasks)
        finally:
            await stack.stop()
    loop = statistics.median([*before, *after])
    print(f"bare parse() loop    {loop:6.1f} parts/s (median; {min(before + after):.1f} to {max(before + after):.1f})")
    for name, rates in (("one report of 400", one), ("26 reports of 15", many)):
        rate = statistics.median(rates)
        print(f"{name:20} {rate:6.1f} parts/s (median; {min(rates):.1f} to {max(rates):.1f}), {rate / loop:.2f} of it")


async def assay(stack: Stack, reports: int, parts: int) -> float:
    """Parts a second over all these reports, asked for at once."""
    before = usage(stack.process.pid)
    ids = [await stack.post(agents_request(parts, RUNS)) for _ in range(reports)]
    documents = [await follow(stack, report_id) for report_id in ids]
    assert all(document["counts"]["completed"] == parts for document in documents)
    began = min(moment(document, "accepted") for document in documents)
    seconds = (max(moment(document, "completed") for document in documents) - began).total_seconds()
    evaluated = (max(moment(document, "evaluated") for document in documents) - began).total_seconds()
    planned = (max(moment(document, "planned") for document in documents) - began).total_seconds()
    print(
        f"{reports:2d} x {parts:3d}: {reports * parts / seconds:6.1f} parts/s  planned {planned:.2f}  "
        f"last outcome {evaluated:.2f}  workbook {seconds:.2f} s\n         {used(before, usage(stack.process.pid))}",
        flush=True,
    )
    return reports * parts / seconds


async def published(stack: Stack, count: int) -> Sequence[EvaluationTask]:
    """Tasks as the orchestrator published them."""
    tasks: list[EvaluationTask] = []
    async with stack.reading("evaluation.tasks") as consumer:
        while len(tasks) < count:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                tasks += [EvaluationTask.model_validate_json(record.value) for record in records]
    return tasks[:count]


async def bare(tasks: Sequence[EvaluationTask]) -> list[float]:
    """Calls a second of a loop that asks and forgets, on a judge of its own."""
    questions = [(build(task), answer_type(task)) for task in tasks]
    rates = []
    async with judge() as url, openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:
        slots = asyncio.Semaphore(AT_ONCE)

        async def ask(number: int) -> None:
            prompt, form = questions[number % len(questions)]
            async with slots:
                await client.chat.completions.parse(
                    model="gpt-4o-mini",
                    messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
                    response_format=form,
                )

        for _ in range(ROUNDS):
            began = time.monotonic()
            async with asyncio.TaskGroup() as calls:
                for number in range(PARTS):
                    calls.create_task(ask(number))
            rates.append(PARTS / (time.monotonic() - began))
            print(f"    bare: {rates[-1]:6.1f} calls/s", flush=True)
    return rates


if __name__ == "__main__":
    asyncio.run(main())
