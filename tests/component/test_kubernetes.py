"""What is in deploy/k8s keeps to the schemas of Kubernetes and of the operators it asks of, and fits the code."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Literal

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field

from services.evaluator.app import LONGEST_DRAIN_SECONDS
from shared.chassis.assembly import assemble
from shared.settings import KafkaSettings
from tests.cluster_rules import groups
from tests.component.test_deployment import ROOMS, known_variables

K8S = Path(__file__).parents[2] / "deploy" / "k8s"
NOT_A_MANIFEST = {"kustomization.yaml", "room.yaml"}
OLDEST, NEWEST = "1.30", "1.37"

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl puts the manifests together: not here")


class Strict(BaseModel):
    """A part of an operator's schema, as far as it is used: a name it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


class Policy(Strict):
    type: Literal["Pods", "Percent"]
    value: int = Field(gt=0)
    periodSeconds: int = Field(gt=0, le=1800)  # noqa: N815


class Behaviour(Strict):
    stabilizationWindowSeconds: int = Field(ge=0, le=3600)  # noqa: N815
    policies: list[Policy]


class Behaviours(Strict):
    scaleUp: Behaviour | None = None  # noqa: N815
    scaleDown: Behaviour  # noqa: N815


class Scaler(Strict):
    behavior: Behaviours


class Advanced(Strict):
    horizontalPodAutoscalerConfig: Scaler  # noqa: N815


class KafkaLag(Strict):
    """https://keda.sh/docs/2.18/scalers/apache-kafka/."""

    bootstrapServers: str  # noqa: N815
    consumerGroup: str  # noqa: N815
    topic: str
    lagThreshold: str = Field(pattern=r"^\d+$")  # noqa: N815
    offsetResetPolicy: Literal["earliest", "latest"]  # noqa: N815
    allowIdleConsumers: Literal["true", "false"]  # noqa: N815


class Trigger(Strict):
    type: Literal["kafka"]
    metadata: KafkaLag


class Target(Strict):
    name: str


class ScaledObjectSpec(Strict):
    """https://keda.sh/docs/2.18/reference/scaledobject-spec/."""

    scaleTargetRef: Target  # noqa: N815
    pollingInterval: int  # noqa: N815
    cooldownPeriod: int  # noqa: N815
    minReplicaCount: int  # noqa: N815
    maxReplicaCount: int  # noqa: N815
    advanced: Advanced
    triggers: list[Trigger]


class Relabelling(Strict):
    sourceLabels: list[str]  # noqa: N815
    targetLabel: str  # noqa: N815


class Endpoint(Strict):
    port: str
    path: str
    interval: str = Field(pattern=r"^\d+s$")
    relabelings: list[Relabelling] = []


class Selector(Strict):
    matchLabels: dict[str, str]  # noqa: N815


class PodMonitorSpec(Strict):
    """https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor."""

    selector: Selector
    podMetricsEndpoints: list[Endpoint]  # noqa: N815


class Rule(Strict):
    alert: str | None = None
    record: str | None = None
    expr: str
    for_: str | None = Field(None, alias="for")
    keep_firing_for: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Group(Strict):
    name: str
    interval: str | None = None
    rules: list[Rule]


class PrometheusRuleSpec(Strict):
    """https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule."""

    groups: list[Group]


OPERATORS: dict[str, type[Strict]] = {
    "ScaledObject": ScaledObjectSpec,
    "PodMonitor": PodMonitorSpec,
    "PrometheusRule": PrometheusRuleSpec,
}


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    done = subprocess.run(["kubectl", "kustomize", str(K8S)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def deployments(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Deployment"}


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one["spec"] for one in manifests if one["kind"] == kind}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_keeps_to_its_schema(manifests: list[dict[str, Any]], version: str) -> None:
    for manifest in manifests:
        if manifest["kind"] in OPERATORS:
            OPERATORS[manifest["kind"]].model_validate(manifest["spec"])
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_is_part_of_it() -> None:
    listed = set(yaml.safe_load((K8S / "kustomization.yaml").read_text("utf-8"))["resources"])

    assert listed == {path.name for path in K8S.glob("*.yaml")} - NOT_A_MANIFEST


def test_each_room_is_deployed_and_may_be_disturbed_one_pod_at_a_time(
    manifests: list[dict[str, Any]], deployments: dict[str, dict[str, Any]]
) -> None:
    assert deployments.keys() == set(ROOMS)
    for room, deployment in deployments.items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        assert of_kind(manifests, "PodDisruptionBudget")[room] == {
            "maxUnavailable": 1,
            "selector": {"matchLabels": labels},
        }


def test_no_room_is_root_writes_its_image_or_takes_memory_without_bound(
    deployments: dict[str, dict[str, Any]],
) -> None:
    for deployment in deployments.values():
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} == container["resources"].keys()
        assert "memory" in container["resources"]["limits"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} < container.keys()


def test_an_evaluator_may_finish_its_calls_before_it_is_killed(deployments: dict[str, dict[str, Any]]) -> None:
    grace = deployments["evaluator"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]

    assert grace > LONGEST_DRAIN_SECONDS


def test_each_variable_is_a_setting(manifests: list[dict[str, Any]]) -> None:
    [told] = [one["data"] for one in manifests if one["kind"] == "ConfigMap"]

    assert told.keys() <= known_variables()


def test_scaling_goes_by_groups_and_topics_that_exist(manifests: list[dict[str, Any]]) -> None:
    partitions = {"evaluator": KafkaSettings().tasks_partitions, "renderer": KafkaSettings().events_partitions}
    for room, spec in of_kind(manifests, "ScaledObject").items():
        assembly = assemble(room, KafkaSettings(_env_file=None), CollectorRegistry())
        assert spec["scaleTargetRef"]["name"] == room
        assert spec["maxReplicaCount"] == partitions[room]
        for trigger in spec["triggers"]:
            lag = trigger["metadata"]
            assert lag["topic"] in assembly.topics
            assert lag["consumerGroup"] == assembly.subscription(lag["topic"], "", lambda _: _).group_id


def test_the_cluster_is_watched_by_the_rules_that_are_tested(manifests: list[dict[str, Any]]) -> None:
    [rules] = of_kind(manifests, "PrometheusRule").values()

    assert rules["groups"] == groups(), "make docs writes deploy/k8s/rules.yaml anew"


def test_replicas_are_left_to_whoever_scales(
    manifests: list[dict[str, Any]], deployments: dict[str, dict[str, Any]]
) -> None:
    for room in of_kind(manifests, "ScaledObject"):
        assert "replicas" not in deployments[room]["spec"]


def test_scaling_in_is_slower_than_the_longest_call(manifests: list[dict[str, Any]]) -> None:
    down = of_kind(manifests, "ScaledObject")["evaluator"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]

    assert down["scaleDown"]["stabilizationWindowSeconds"] >= LONGEST_DRAIN_SECONDS
    assert down["scaleDown"]["policies"][0]["periodSeconds"] >= LONGEST_DRAIN_SECONDS


def test_every_room_is_scraped_by_the_port_it_has(
    manifests: list[dict[str, Any]], deployments: dict[str, dict[str, Any]]
) -> None:
    [monitor] = of_kind(manifests, "PodMonitor").values()
    [endpoint] = monitor["podMetricsEndpoints"]
    for deployment in deployments.values():
        template = deployment["spec"]["template"]
        assert monitor["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        assert endpoint["port"] in {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    policies = of_kind(manifests, "NetworkPolicy")
    assert policies["rooms"]["ingress"][0]["ports"] == [{"port": 8081}]
    assert re.search(r"HTTP_PORT=8081", (K8S.parent / "Dockerfile").read_text("utf-8"))
