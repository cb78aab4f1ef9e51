"""Puts Prometheus's rules into the form its operator takes: `python -m tests.cluster_rules > deploy/k8s/rules.yaml`."""

import sys
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "rules"
HEAD = "# Made by `make docs` from deploy/prometheus/rules, where each rule is explained and tested.\n"


def groups() -> list[dict[str, Any]]:
    """All groups of rules, in the order of their files."""
    return [
        group for path in sorted(RULES.glob("*.yml")) for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    ]


def manifest() -> str:
    """The PrometheusRule as YAML."""
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "rooms", "labels": {"app.kubernetes.io/name": "assay"}},
        "spec": {"groups": groups()},
    }
    return HEAD + yaml.safe_dump(rule, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    sys.stdout.write(manifest())
