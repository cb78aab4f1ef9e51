"""One valid example of every message that other services write or read, as they stand in the published documents."""

from collections.abc import Mapping

from pydantic import JsonValue

_AT = "2026-11-24T12:00:00Z"
_PART: dict[str, JsonValue] = {"report_id": "env-42-2026-11", "part_id": "env-42-2026-11/agent/7", "generation": 1}
_USAGE: dict[str, JsonValue] = {
    "model": "gpt-4o-mini",
    "input_tokens": 1800,
    "output_tokens": 240,
    "cached_tokens": 0,
    "cost_usd": 0.000414,
}

EXAMPLES: Mapping[str, Mapping[str, JsonValue]] = {
    "ReportRequested": {
        "type": "ReportRequested",
        "report_id": "app-7-reviews",
        "kind": "reviews",
        "app_id": "7",
        "data": {"reviews": [{"review_id": "1", "language": "en", "text": "Works well."}]},
    },
    "CancelRequested": {"type": "CancelRequested", "report_id": "env-42-2026-11"},
    "RetryRequested": {"type": "RetryRequested", "report_id": "env-42-2026-11", "generation": 2, "part_ids": None},
    "RenderRequested": {"type": "RenderRequested", "report_id": "env-42-2026-11"},
    "EvaluationTask": {
        "type": "EvaluationTask",
        **_PART,
        "kind": "agents",
        "role": "agent",
        "key": "7",
        "name": "Refund desk",
        "lane": "small",
        "partition": 3,
        "criteria": [{"name": "accuracy", "description": "Is it right?", "weight": 1, "threshold": 7}],
        "evidence": [
            {
                "key": "7",
                "name": "Refund desk",
                "coverage": {"total": 1, "used": 1},
                "rows": [{"id": "run-1", "values": {"input": "Refund order 12.", "output": "Refunded."}}],
            }
        ],
        "judge": {"model": "gpt-4o-mini", "timeout_seconds": 300},
        "prompt_version": "1",
        "deadline_at": "2026-11-24T12:15:00Z",
    },
    "PartEvaluated": {
        "type": "PartEvaluated",
        **_PART,
        "evaluation": {
            "criteria": [{"name": "accuracy", "score": 8, "reasoning": "The run is right.", "evidence_ids": ["run-1"]}],
            "reasoning": "It refunds what is due.",
            "strengths": ["quick"],
            "weaknesses": [],
            "recommendations": [],
        },
        "score": 8.0,
        "passed": True,
        "usage": _USAGE,
        "attempts": 1,
        "seconds": 2.1,
        "finished_at": _AT,
        "judge": {"model": "gpt-4o-mini-2024-07-18", "prompt_version": "1"},
    },
    "PartFailed": {
        "type": "PartFailed",
        **_PART,
        "reason": "refused",
        "detail": "I can't help with that.",
        "attempts": 1,
        "retryable": False,
        "usage": _USAGE,
        "seconds": 1.2,
        "finished_at": _AT,
    },
    "ReportStatus": {
        "type": "ReportStatus",
        "report_id": "env-42-2026-11",
        "version": 9,
        "generation": 1,
        "kind": "agents",
        "title": "Support agents, November",
        "status": "completed_with_errors",
        "progress": 100,
        "current_step": "Completed with errors: 1 of 14 agents failed",
        "counts": {"total": 14, "completed": 13, "passed": 9, "not_passed": 4, "errored": 1},
        "overview": {"status": "completed", "reason": None},
        "score": 7.4,
        "usage": _USAGE,
        "accepted_at": _AT,
        "completed_at": "2026-11-24T12:00:21Z",
        "seconds": 21.0,
        "workbook": {"sha256": "ab" * 32, "bytes": 48213, "href": "/reports/env-42-2026-11/workbook"},
    },
}


def example(name: str) -> dict[str, JsonValue]:
    """What a model adds to its schema."""
    return {"examples": [dict(EXAMPLES[name])]}
