"""Reads back what a call asks the judge: the subject, the criteria, and the evidence in its fence."""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from shared.evaluations import EvidenceGroup, EvidenceRow, PartResult
from shared.vocabulary import Role

_FENCE = re.compile(r"^===== (?:task|data) [0-9a-f]+ (?:begins|ends) =====$", re.MULTILINE)
_ROW = re.compile(r"\[(\d+)\] (\{.*)")


class UnreadableQuestionError(Exception):
    """The message is not one that the evaluator writes; the message says what is missing."""


class Question(NamedTuple):
    """What is to be judged. A row's id is its number in the prompt, by which answers cite it."""

    role: Role
    key: str
    name: str
    criteria: tuple[str, ...]
    evidence: tuple[EvidenceGroup, ...]
    results: tuple[PartResult, ...]
    goal: str | None = None

    @property
    def rows(self) -> tuple[EvidenceRow, ...]:
        """The rows of all pieces."""
        return tuple(row for group in self.evidence for row in group.rows)


def read(text: str) -> Question:
    """The question in the user's message of a call. Raises UnreadableQuestionError."""
    parts = _FENCE.split(text)
    if len(parts) != len(("before", "task", "between", "data", "after")):
        raise UnreadableQuestionError("there is no fenced task with fenced data")
    _, head, _, data, _ = parts
    try:
        subject = json.loads(_after("Subject: ", head))
        return Question(
            role=Role(subject["role"]),
            key=subject["key"],
            name=subject["name"],
            criteria=_criteria(head),
            evidence=tuple(_groups(data.split("\n"))),
            results=tuple(
                PartResult.model_validate_json(line.removeprefix("result "))
                for line in data.split("\n")
                if line.startswith("result ")
            ),
            goal=json.loads(_after("Goal: ", head)) if "\nGoal: " in head else None,
        )
    except (ValueError, KeyError) as error:
        raise UnreadableQuestionError(f"the question cannot be read: {error}") from error


def _after(label: str, head: str) -> str:
    for line in head.split("\n"):
        if line.startswith(label):
            return line.removeprefix(label)
    raise UnreadableQuestionError(f"there is no line {label!r}")


def _criteria(head: str) -> tuple[str, ...]:
    """The names in the lines below `Criteria:`."""
    _, _, listed = head.partition("\nCriteria:\n")
    return tuple(json.loads(line.removeprefix("- "))["name"] for line in listed.split("\n") if line.startswith("- "))


def _groups(lines: Iterable[str]) -> Iterable[EvidenceGroup]:
    """Each heading with the rows below it."""
    heading: str | None = None
    rows: list[EvidenceRow] = []
    for line in lines:
        if line.startswith(("about ", "piece ")):
            if heading:
                yield _group(heading, rows)
            heading, rows = line.partition(" ")[2], []
        elif row := _ROW.fullmatch(line):
            rows.append(EvidenceRow(id=row[1], values=json.loads(row[2])))
    if heading:
        yield _group(heading, rows)


def _group(heading: str, rows: list[EvidenceRow]) -> EvidenceGroup:
    return EvidenceGroup.model_validate({**json.loads(heading), "rows": tuple(rows)})
