"""A small report that nobody asked for: building its workbook once warms a new render process."""

from datetime import UTC, datetime

from shared.evaluations import AgentEvaluation, CriterionScore, EvidenceRow, FrozenRow, Judge, Part, Usage
from shared.messages import CriteriaSpec, Options, Period
from shared.state import Plan, Report
from shared.vocabulary import Kind, Lane, PartStatus, Role, Status

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Plan(
    report_id="rehearsal",
    token="",
    content_sha256="",
    kind=Kind.AGENTS,
    title="Rehearsal",
    subject="Nobody",
    period=Period(to=_THEN),
    criteria=CriteriaSpec(),
    options=Options(),
    pieces=1,
    overview="synthesis",
    lane=Lane.SMALL,
    prompt_version="",
    rows=1,
    columns=("input",),
    accepted_at=_THEN,
    planned_at=_THEN,
    deadline_at=_THEN,
)
REPORT = Report(
    report_id="rehearsal",
    kind=Kind.AGENTS,
    title="Rehearsal",
    status=Status.RENDERING,
    pieces=1,
    completed=1,
    overview=PartStatus.COMPLETED,
    accepted_at=_THEN,
    deadline_at=_THEN,
)
PARTS = (
    Part(
        part_id="rehearsal/agent/1",
        report_id="rehearsal",
        role=Role.AGENT,
        key="1",
        name="One",
        status=PartStatus.COMPLETED,
        score=5,
        evaluation=AgentEvaluation(criteria=(CriterionScore(name="any", score=5),), reasoning="None. Ünder"),
        usage=Usage(model="none"),
        judge=Judge(model="none", prompt_version=""),
        finished_at=_THEN,
    ),
)
ROWS = (FrozenRow(key="1", row=EvidenceRow(id="1", values={"input": "=text"})),)
