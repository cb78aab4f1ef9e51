"""Tasks as the evaluator gets them, and what its call then says to the judge."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.evaluator import prompts
from services.evaluator.answers import AnyAnswer, answer_schema, answer_type
from services.evaluator.scoring import evaluation_of
from services.standalone.opinions import form_of, opinion
from services.standalone.question import read
from shared.evaluations import Criterion, Evaluation, EvidenceGroup, EvidenceRow, PartResult, Scalar
from shared.messages import EvaluationTask, JudgeOptions
from shared.vocabulary import Kind, Lane, Role

CRITERIA = tuple(Criterion(name=name) for name in ("accuracy", "reliability", "efficiency"))
GOOD_RUN: Mapping[str, Scalar] = {
    "input": "Where is my parcel?",
    "output": "It arrives on Monday.",
    "status": "success",
}
BAD_RUN: Mapping[str, Scalar] = {"input": "Where is my parcel?", "output": "Error: lookup failed", "status": "failed"}


class Asked(NamedTuple):
    """A call to the judge."""

    task: EvaluationTask
    system: str
    user: str
    schema: Mapping[str, object]

    @property
    def body(self) -> bytes:
        """The call as it travels."""
        named = {"name": answer_type(self.task).__name__, "strict": True, "schema": self.schema}
        messages = [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]
        return json.dumps(
            {
                "model": "gpt-4o-mini",
                "messages": messages,
                "response_format": {"type": "json_schema", "json_schema": named},
            }
        ).encode()


def rows(*values: Mapping[str, Scalar]) -> tuple[EvidenceRow, ...]:
    return tuple(EvidenceRow(id=f"row-{number}", values=value) for number, value in enumerate(values, 1))


def reviews(*texts: str) -> tuple[EvidenceRow, ...]:
    return rows(*({"text": text} for text in texts))


def group(key: str, evidence: tuple[EvidenceRow, ...]) -> EvidenceGroup:
    return EvidenceGroup(key=key, name=f"The {key}", rows=evidence)


def agent(key: str, *runs: Mapping[str, Scalar]) -> Asked:
    return asked(Kind.AGENTS, Role.AGENT, key, [group(key, rows(*runs))])


def language(key: str, *texts: str) -> Asked:
    return asked(Kind.REVIEWS, Role.LANGUAGE, key, [group(key, reviews(*texts))])


def overview(kind: Kind, evidence: Sequence[EvidenceGroup] = (), results: Sequence[PartResult] = ()) -> Asked:
    return asked(kind, Role.OVERVIEW, "overview", evidence, results)


def asked(
    kind: Kind, role: Role, key: str, evidence: Sequence[EvidenceGroup], results: Sequence[PartResult] = ()
) -> Asked:
    task = EvaluationTask(
        report_id="r",
        part_id=f"r/{role}/{key}",
        kind=kind,
        role=role,
        key=key,
        name=f"The {key}",
        lane=Lane.SMALL,
        goal="Help\nquickly.",
        criteria=CRITERIA if kind is Kind.AGENTS else (),
        evidence=tuple(evidence),
        results=tuple(results),
        results_total=len(results),
        judge=JudgeOptions(model="gpt-4o-mini"),
        prompt_version="1",
        deadline_at=datetime(2026, 11, 24, tzinfo=UTC),
    )
    prompt = prompts.build(task)
    schema = answer_schema(answer_type(task), tuple(criterion.name for criterion in task.criteria))
    return Asked(task, prompt.system, prompt.user, schema)


def answered(call: Asked) -> AnyAnswer:
    """The stand-in's opinion, reached from what the call says alone."""
    properties = call.schema["properties"]
    assert isinstance(properties, dict)
    return opinion(form_of(frozenset(properties)), read(call.user))


def judged(call: Asked) -> Evaluation:
    """What the evaluator makes of that; raises what it raises for an answer that breaks a rule."""
    form = answer_type(call.task)
    return evaluation_of(form.model_validate_json(answered(call).model_dump_json()), call.task)
