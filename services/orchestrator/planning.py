"""Decides what a request amounts to: whether it can be served, by which criteria, until when, in which parts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

from services.orchestrator.pieces import Piece
from shared.evaluations import Criterion, EvidenceGroup, Parameters, Part
from shared.messages import (
    PROMPT_VERSION,
    EvaluationTask,
    JudgeOptions,
    Options,
    Period,
    ReportPlanned,
    ReportRequested,
    RetryRequested,
    part_id,
)
from shared.state import Baseline, Plan
from shared.topics import task_partition
from shared.vocabulary import PIECE_ROLE, Kind, Lane, OverviewMode, PartStatus, Role, Sign

DEADLINE_SECONDS = 900.0
DEADLINE_SECONDS_PER_PART = 2.0
LONGEST_NAME = 200  # characters of a piece's name in a task
EVERY_AGENT = "*"
OVERVIEW_KEY = "overview"

AGENT_CRITERIA = (
    Criterion(name="accuracy", description="Are the results right and complete?", weight=0.4, threshold=7),
    Criterion(name="reliability", description="Does it work each time, without errors?", weight=0.3, threshold=7),
    Criterion(name="efficiency", description="Does it get there without waste?", weight=0.3, threshold=6),
)
TEAM_CRITERIA = (
    Criterion(name="effectiveness", description="Does the team reach its goals?", weight=0.4, threshold=7),
    Criterion(name="reliability", description="Can one depend on the team?", weight=0.3, threshold=8),
    Criterion(name="efficiency", description="Does it get there without waste?", weight=0.3, threshold=7),
)


class Settled(NamedTuple):
    """What is the same for all parts of a report, settled before any evidence is read."""

    request: ReportRequested
    content_sha256: str
    accepted_at: datetime
    deadline_at: datetime
    period: Period
    lane: Lane
    partitions: int
    pieces: int
    baseline: Baseline | None = None


def content_sha256(request: ReportRequested) -> str:
    """The hash of the fields as sent: a repeat has the same, a field left out is not the same as its default."""
    return sha256(request.model_dump_json(by_alias=True, exclude_unset=True).encode()).hexdigest()


def first_deadline(request: ReportRequested, accepted_at: datetime) -> datetime:
    """Until when planning and all else must have ended, before the number of parts is known."""
    return accepted_at + timedelta(seconds=request.options.deadline_seconds or DEADLINE_SECONDS)


def settle(
    request: ReportRequested,
    accepted_at: datetime,
    pieces: int,
    *,
    bulk_parts: int,
    partitions: int,
    baseline: Baseline | None = None,
) -> Settled:
    """Deadline, period and lane for this many pieces and the overview."""
    seconds = request.options.deadline_seconds or DEADLINE_SECONDS + DEADLINE_SECONDS_PER_PART * (pieces + 1)
    return Settled(
        request=request,
        content_sha256=content_sha256(request),
        accepted_at=accepted_at,
        deadline_at=accepted_at + timedelta(seconds=seconds),
        period=Period(from_=request.period.from_, to=request.period.to or accepted_at),
        lane=Lane.SMALL if pieces <= bulk_parts else Lane.BULK,
        partitions=partitions,
        pieces=pieces,
        baseline=baseline,
    )


def piece_part(settled: Settled, index: int, piece: Piece, evidence: EvidenceGroup) -> Part:
    """The part of a piece."""
    report_id, role = settled.request.report_id, PIECE_ROLE[settled.request.kind]
    return Part(
        part_id=part_id(report_id, role, piece.key),
        report_id=report_id,
        role=role,
        key=piece.key,
        name=piece.name,
        description=piece.description,
        index=index,
        criteria=_piece_criteria(settled.request, piece.key),
        facts=evidence.facts,
        coverage=evidence.coverage,
    )


def overview_part(settled: Settled, stage: int) -> Part:
    """The part of the overview, after the pieces."""
    report_id = settled.request.report_id
    return Part(
        part_id=part_id(report_id, Role.OVERVIEW, OVERVIEW_KEY),
        report_id=report_id,
        role=Role.OVERVIEW,
        key=OVERVIEW_KEY,
        name="Overview",
        index=settled.pieces,
        stage=stage,
        criteria=_team_criteria(settled.request),
    )


def task_of(settled: Settled, part: Part, evidence: Sequence[EvidenceGroup]) -> EvaluationTask:
    """The task of a part. An overview always travels in the small lane: it is what its report waits for."""
    request = settled.request
    return EvaluationTask(
        report_id=request.report_id,
        part_id=part.part_id,
        kind=request.kind,
        role=part.role,
        key=part.key,
        name=part.name[:LONGEST_NAME],
        lane=Lane.SMALL if part.role is Role.OVERVIEW else settled.lane,
        partition=task_partition(request.report_id, part.index, settled.partitions),
        goal=request.criteria.goal,
        criteria=part.criteria,
        evidence=tuple(evidence),
        judge=_judge(request.options),
        prompt_version=PROMPT_VERSION,
        deadline_at=settled.deadline_at,
    )


def _judge(options: Options) -> JudgeOptions:
    parameters = Parameters(
        temperature=options.temperature, seed=options.seed, max_output_tokens=options.max_output_tokens
    )
    return JudgeOptions(
        model=options.judge_model,
        timeout_seconds=options.eval_timeout_seconds,
        parameters=parameters,
        trials=options.trials,
        cache=options.cache,
    )


def overview_may_be_concurrent(request: ReportRequested) -> bool:
    """Whether evidence has to be gathered for an overview that is judged with the pieces."""
    return overview_is_concurrent(request, fits_one_task=True)


def overview_is_concurrent(request: ReportRequested, *, fits_one_task: bool) -> bool:
    """Whether the overview is judged with the pieces. `auto`: reviews, if their evidence fits one task."""
    mode = request.options.overview
    if mode is OverviewMode.AUTO:
        return request.kind is Kind.REVIEWS and fits_one_task
    return mode is OverviewMode.CONCURRENT


def plan_of(
    settled: Settled,
    *,
    token: str,
    planned_at: datetime,
    concurrent: bool,
    rows: int,
    without_data: int = 0,
    columns: Sequence[str],
    notes: Sequence[str],
    signs: Mapping[str, int] = MappingProxyType({}),
    evidence_tokens: int = 0,
) -> Plan:
    """The plan to store."""
    request = settled.request
    return Plan(
        report_id=request.report_id,
        token=token,
        content_sha256=settled.content_sha256,
        kind=request.kind,
        title=request.title or subject_of(request),
        owner=request.owner,
        metadata=request.metadata,
        subject=subject_of(request),
        period=settled.period,
        criteria=request.criteria.model_copy(update={"team": _team_criteria(request) or None}),
        options=request.options,
        run_model=request.run_model,
        runs_per_agent=request.runs_per_agent,
        pieces=settled.pieces,
        overview="concurrent" if concurrent else "synthesis",
        lane=settled.lane,
        prompt_version=PROMPT_VERSION,
        rows=rows,
        without_data=without_data,
        baseline=settled.baseline,
        columns=tuple(columns),
        notes=tuple(notes),
        evidence_tokens=evidence_tokens,
        signs={str(sign): signs[sign] for sign in Sign if sign in signs},
        accepted_at=settled.accepted_at,
        planned_at=planned_at,
        deadline_at=settled.deadline_at,
    )


def planned_event(plan: Plan) -> ReportPlanned:
    """What the renderer is told of a new plan."""
    return ReportPlanned(
        report_id=plan.report_id,
        pieces=plan.pieces,
        overview=plan.overview,
        lane=plan.lane,
        fail_fast=plan.options.fail_fast,
        token_limit=plan.options.token_limit,
        cost_limit_usd=plan.options.cost_limit_usd,
        planned_at=plan.planned_at,
        deadline_at=plan.deadline_at,
    )


def retry_of(plan: Plan, request: RetryRequested, now: datetime) -> ReportPlanned:
    """What the renderer is told of a retry: a new generation with a new deadline."""
    seconds = plan.options.deadline_seconds or DEADLINE_SECONDS + DEADLINE_SECONDS_PER_PART * (plan.pieces + 1)
    return planned_event(plan).model_copy(
        update={
            "generation": request.generation,
            "part_ids": request.part_ids,
            "planned_at": now,
            "deadline_at": now + timedelta(seconds=seconds),
        }
    )


def is_to_be_retried(part: Part, retry: ReportPlanned, *, begun: bool) -> bool:
    """Whether a retry judges this part again; a part that was opened for it says so itself."""
    if part.generation == retry.generation:
        return part.status.is_open
    wanted = retry.part_ids is None or part.part_id in retry.part_ids
    return not begun and wanted and part.status in {PartStatus.ERRORED, PartStatus.CANCELLED}


def subject_of(request: ReportRequested) -> str:
    """What a report is about, as its reader knows it."""
    if request.kind is Kind.AGENTS:
        return f"Environment {request.environment_id}" if request.environment_id else "Agents"
    return f"App {request.app_id}" if request.app_id else "User reviews"


def _piece_criteria(request: ReportRequested, key: str) -> tuple[Criterion, ...]:
    if request.kind is Kind.REVIEWS:
        return ()
    named: Mapping[str, tuple[Criterion, ...]] = request.criteria.agents
    return named.get(key) or named.get(EVERY_AGENT) or AGENT_CRITERIA


def _team_criteria(request: ReportRequested) -> tuple[Criterion, ...]:
    if request.kind is Kind.REVIEWS:
        return ()
    return request.criteria.team or TEAM_CRITERIA
