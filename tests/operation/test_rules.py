"""The rules for Prometheus: understood, tested one by one, and each with its page in the runbook."""

import re
from typing import Any

import pytest
import yaml

from tests.operation.programs import ROOT, RULES, needs, said

TESTS = sorted((ROOT / "deploy" / "prometheus" / "tests").glob("*.yml"))
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for path in RULES
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


@needs("promtool")
def test_prometheus_understands_the_rules_and_its_configuration() -> None:
    rules = said("promtool", "check", "rules", *map(str, RULES))
    config = said("promtool", "check", "config", "deploy/prometheus/prometheus.yml")
    assert rules.returncode == 0, rules.stdout + rules.stderr
    assert config.returncode == 0, config.stdout + config.stderr


@needs("promtool")
def test_each_alert_does_what_its_tests_say() -> None:
    done = said("promtool", "test", "rules", *map(str, TESTS))
    assert done.returncode == 0, done.stdout + done.stderr


@needs("amtool")
def test_alertmanager_understands_its_configuration() -> None:
    done = said("amtool", "check-config", "deploy/alertmanager/alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_seen_both_firing_and_silent(alert: str) -> None:
    seen = {
        "exp_samples" in check
        for path in TESTS
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]
        for check in test["promql_expr_test"]
        if f'"{alert}"' in check["expr"]
    }
    assert seen == {True, False}


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_section_that_says_what_to_look_at_and_what_to_do(alert: str) -> None:
    page = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    section = re.search(rf"^## {alert}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, f"docs/runbook.md has no section {alert}"
    assert "**Look at**" in section[1]
    assert "**Do**" in section[1]
    assert ALERTS[alert]["annotations"]["runbook"] == f"docs/runbook.md#{alert.lower()}"
    assert ALERTS[alert]["labels"]["severity"] in {"page", "ticket"}
