"""Finds the report that another is to be compared with, and freezes its parts beside the plan."""

from datetime import datetime

from services.orchestrator.comparable import HAS_RESULTS, baseline_of, named_baseline, without_words
from services.orchestrator.planning import subject_of
from shared.evaluations import Part
from shared.messages import PREVIOUS, ReportRequested
from shared.state import Baseline
from shared.store import Store
from shared.store.plans import Subject
from shared.vocabulary import Role

MOST_WAITING_BYTES = 4_000_000  # a document holds 16 MiB; a part is far below that


async def find_baseline(store: Store, request: ReportRequested, accepted_at: datetime) -> Baseline | None:
    """The baseline that the request asks for; None if it asks for none, or for the previous one and is the first.

    Raises RejectedError for a report that is not there, or cannot be compared with.
    """
    wanted = request.options.baseline
    if wanted is None:
        return None
    if wanted == PREVIOUS:
        return await _previous(store, request, accepted_at)
    return named_baseline(request, await store.plans.get(wanted), await store.reports.get(wanted))


async def freeze_baseline(store: Store, baseline: Baseline, token: str, expires_at: datetime) -> None:
    """Store the baseline's pieces as they stood in its generation, under the token of the plan they belong to."""
    waiting: list[Part] = []
    count = size = 0
    async for part in store.parts.as_of(baseline.report_id, baseline.generation):
        if part.role is Role.OVERVIEW:
            continue
        slim = without_words(part)
        waiting.append(slim)
        size += len(slim.model_dump_json())
        if size > MOST_WAITING_BYTES:
            await store.baselines.insert(token, count, waiting, expires_at)
            count, size, waiting = count + len(waiting), 0, []
    if waiting:
        await store.baselines.insert(token, count, waiting, expires_at)


async def _previous(store: Store, request: ReportRequested, accepted_at: datetime) -> Baseline | None:
    subject = Subject(request.owner, request.kind, subject_of(request))
    async for plan in store.plans.before(subject, accepted_at):
        report = await store.reports.get(plan.report_id)
        if report is not None and report.status in HAS_RESULTS:
            return baseline_of(plan, report)
    return None
