"""The expressions of all panels, and the metrics that they may speak of."""

import json
import re
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from shared.telemetry import OF_CONSUMERS, Metrics
from tests.operation.programs import ROOT

DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


class Expression(NamedTuple):
    """What a panel asks for."""

    dashboard: str
    panel: str
    text: str

    @property
    def metrics(self) -> set[str]:
        """Ours, without recording rules."""
        return set(re.findall(r"\bassay_\w+", self.text))

    @property
    def grouping(self) -> set[str]:
        """The labels it groups by."""
        return {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", self.text) for label in labels.split(",")}


def expressions() -> list[Expression]:
    """All panels of all dashboards."""
    return [
        Expression(path.stem, panel["title"], target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text("utf-8"))["panels"]
        for target in panel["targets"]
    ]


def labels_by_metric() -> dict[str, set[str]]:
    """The labels of every series that a room can offer."""
    metrics = Metrics(CollectorRegistry(), "renderer", "0")
    found: dict[str, set[str]] = {}
    of_consumers = {item.name for item in OF_CONSUMERS.values()}
    for family in metrics.registry.collect():
        known = getattr(metrics.registry._names_to_collectors.get(family.name), "_labelnames", ())
        labels = {"topic"} if family.name in of_consumers else set(known)
        for suffix in SUFFIXES[family.type]:
            found[family.name + suffix] = labels
    return found
