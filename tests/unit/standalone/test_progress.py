"""What the console says of a report, and what it exits with."""

import pytest

from services.client.progress import exit_code, summary
from shared.evaluations import Usage
from shared.messages import Counts, OverviewStatus, ReportStatus, Saved, Workbook
from shared.vocabulary import Kind, PartStatus, Reason, Status


def ended(status: Status = Status.COMPLETED_WITH_ERRORS, usage: Usage = Usage(), **fields: object) -> ReportStatus:  # noqa: B008
    return ReportStatus.model_validate(
        {
            "report_id": "r",
            "version": 5,
            "generation": 1,
            "kind": Kind.AGENTS,
            "title": "",
            "status": status,
            "progress": 100,
            "current_step": "",
            "counts": Counts(total=3, completed=2, passed=1, not_passed=1, errored=1),
            "usage": usage,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.COMPLETED, 0),
        (Status.COMPLETED_WITH_ERRORS, 3),
        (Status.FAILED, 1),
        (Status.REJECTED, 1),
        (Status.CANCELLED, 1),
    ],
)
def test_the_exit_code_says_how_the_report_ended(status: Status, code: int) -> None:
    assert exit_code(status) == code


def test_the_summary_names_counts_score_reason_and_file() -> None:
    status = ended(
        score=7.456,
        seconds=2.34,
        workbook=Workbook(sha256="", bytes=1),
        overview=OverviewStatus(status=PartStatus.ERRORED, reason=Reason.REFUSED),
        usage=Usage(input_tokens=12000, output_tokens=300, cost_usd=0.0123),
    )
    assert summary(status, "r.xlsx") == [
        "r: completed with errors in 2.3 s",
        "Parts: 2 of 3 judged (1 passed, 1 not), 1 failed",
        "Overview: errored (refused)",
        "Score: 7.46 of 10",
        "Cost: 0.0123 USD (12,000 tokens in, 300 out)",
        "Workbook: r.xlsx",
    ]


def test_a_cost_without_a_price_is_said_to_be_unpriced() -> None:
    assert "Cost: unpriced (0 tokens in, 0 out)" in summary(ended(), "")


def test_what_was_judged_before_is_said_to_be_saved() -> None:
    saved = Saved(parts=4, usage=Usage(input_tokens=12000, output_tokens=300, cost_usd=0.0123))
    assert "Saved: 0.0123 USD (12,000 tokens in, 300 out); parts judged before: 4" in summary(ended(saved=saved), "")
    unpriced = Saved(parts=1, usage=Usage(input_tokens=5))
    assert "Saved: unpriced (5 tokens in, 0 out); parts judged before: 1" in summary(ended(saved=unpriced), "")


def test_the_stand_in_costs_nothing() -> None:
    lines = summary(ended(usage=Usage(cost_usd=0.5)), "", stand_in=True)
    assert "Cost: nothing, as no model was asked (0 tokens in, 0 out)" in lines


def test_a_rejected_report_has_its_reason_and_nothing_else() -> None:
    rejected = ended(Status.REJECTED, reason="there are no runs", counts=Counts())
    assert summary(rejected, "") == ["r: rejected", "Reason: there are no runs", "No workbook"]
