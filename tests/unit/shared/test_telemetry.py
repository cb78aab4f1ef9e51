"""The metrics: named by the contract, from zero where their labels are closed, and bounded where they are not."""

from prometheus_client import CollectorRegistry, generate_latest

from shared.readings import Reading, age_seconds
from shared.telemetry import MOST_MODELS, Metrics


def shown(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def room(name: str) -> Metrics:
    return Metrics(CollectorRegistry(), name, "1.0")


def test_every_metric_has_a_help_text_and_the_prefix() -> None:
    metrics = room("renderer")
    for family in metrics.registry.collect():
        assert family.documentation
        assert family.name.startswith(("assay_", "process_"))


def test_the_first_failure_is_seen_to_come_because_it_is_counted_from_zero() -> None:
    page = shown(room("renderer"))
    assert 'assay_parts_total{outcome="errored",reason="quota_exhausted",role="agent"} 0.0' in page
    assert 'assay_reports_total{kind="reviews",status="failed"} 0.0' in page
    assert 'assay_report_deadlines_total{deadline="missed",kind="agents"} 0.0' in page


def test_a_room_shows_no_zeros_of_another_room() -> None:
    assert 'assay_parts_total{outcome="errored"' not in shown(room("orchestrator"))


def test_whoever_invents_models_gets_no_more_series() -> None:
    metrics = room("evaluator")
    for number in range(MOST_MODELS + 5):
        metrics.judge_attempts.labels(f"model-{number}", "answered").inc()
        metrics.judge_seconds.labels(f"model-{number}").observe(1)
    metrics.judge_attempts.labels("model-0", "answered").inc()
    page = shown(metrics)
    assert 'assay_llm_attempts_total{model="other",result="answered"} 5.0' in page
    assert 'assay_llm_attempts_total{model="model-0",result="answered"} 2.0' in page
    assert 'assay_llm_attempt_seconds_count{model="other"} 5.0' in page
    assert "model-51" not in page


def test_consumers_are_asked_when_somebody_looks() -> None:
    metrics = room("renderer")
    lags = iter([3, 0])
    metrics.consumers.watch("report.events", lambda: Reading(next(lags), 1.5, 2, 0, 7, 0, 1))
    first, second = shown(metrics), shown(metrics)
    assert 'assay_consumer_lag_records{topic="report.events"} 3.0' in first
    assert 'assay_consumer_lag_seconds{topic="report.events"} 1.5' in first
    assert 'assay_records_done_total{topic="report.events"} 7.0' in first
    assert 'assay_rebalances_total{topic="report.events"} 1.0' in first
    assert 'assay_consumer_lag_records{topic="report.events"} 0.0' in second


def test_a_record_from_a_clock_ahead_of_ours_is_not_younger_than_now() -> None:
    assert age_seconds(5_000, 7.5) == 2.5
    assert age_seconds(9_000, 7.5) == 0
    assert age_seconds(None, 7.5) == 0
