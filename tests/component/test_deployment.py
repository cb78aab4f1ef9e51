"""What is in deploy/ and docker-compose.yml fits together, and fits the code."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.evaluator.app import LONGEST_DRAIN_SECONDS
from services.gateway.keys import parse
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
DEPLOY = ROOT / "deploy"
GRAFANA = DEPLOY / "grafana"
ROOMS = ("orchestrator", "evaluator", "renderer", "gateway")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


COMPOSE = read(COMPOSE_FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")


def variables(service: dict[str, Any]) -> set[str]:
    return set(service.get("environment", {}))


def known_variables() -> set[str]:
    groups = Settings.__annotations__.values()
    return {f"{group.model_config['env_prefix']}{name}".upper() for group in groups for name in group.model_fields}


def seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+)s", text)
    assert found, f"write it in seconds: {text}"
    return float(found[1])


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ROOMS)
def test_each_room_starts_a_module_that_exists(name: str) -> None:
    assert 'ENTRYPOINT ["python", "-m"]' in DOCKERFILE
    [module] = SERVICES[name]["command"]
    assert find_spec(f"{module}.__main__")


def test_every_service_made_from_our_image_is_a_room() -> None:
    assert {name for name, service in SERVICES.items() if service["image"] == "assay"} == set(ROOMS)


@pytest.mark.parametrize("name", ROOMS)
def test_each_variable_given_to_a_room_is_a_setting(name: str) -> None:
    assert variables(SERVICES[name]) <= known_variables()


def test_each_variable_that_the_image_sets_is_a_setting() -> None:
    instruction = re.search(r"^ENV ((?:.*\\\n)*.*)", DOCKERFILE, re.MULTILINE)
    assert instruction
    names = set(re.findall(r"\b([A-Z_]+)=", instruction[1]))
    assert names - {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} <= known_variables()


def test_an_evaluator_may_finish_its_calls_before_it_is_killed() -> None:
    assert seconds(SERVICES["evaluator"]["stop_grace_period"]) > LONGEST_DRAIN_SECONDS


def test_no_container_takes_memory_without_bound() -> None:
    assert all("mem_limit" in service for service in SERVICES.values())


def test_evaluators_can_be_multiplied() -> None:
    assert not {"container_name", "ports", "hostname"} & SERVICES["evaluator"].keys()


def test_only_this_machine_reaches_what_is_published() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", ROOMS)
def test_each_room_waits_for_a_broker_and_a_database_that_can_say_they_are_healthy(name: str) -> None:
    awaited = SERVICES[name]["depends_on"]
    assert awaited.keys() == {"kafka", "mongo"}
    assert all(condition == {"condition": "service_healthy"} for condition in awaited.values())
    assert all("healthcheck" in SERVICES[other] for other in awaited)


def test_every_named_volume_is_declared_and_every_mounted_file_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_prometheus_looks_for_every_container_of_every_room_where_the_image_listens() -> None:
    [job] = read(DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"]
    [lookup] = job["dns_sd_configs"]
    assert lookup["names"] == list(ROOMS)
    assert lookup["type"] == "A"
    assert f"HTTP_PORT={lookup['port']}" in DOCKERFILE
    assert f"GATEWAY_PORT={lookup['port']}" in DOCKERFILE
    assert [port.split(":")[-1] for port in SERVICES["gateway"]["ports"]] == [str(lookup["port"])]


def test_prometheus_counts_the_first_value_of_a_counter() -> None:
    assert "--enable-feature=created-timestamp-zero-ingestion" in SERVICES["prometheus"]["command"]


def test_grafana_finds_its_dashboard_and_the_dashboard_its_data() -> None:
    [source] = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    for dashboard in (GRAFANA / "dashboards").glob("*.json"):
        assert f'"uid": "{source["uid"]}"' in dashboard.read_text("utf-8")

    [provider] = read(GRAFANA / "provisioning" / "dashboards" / "assay.yml")["providers"]
    inside = dict(reversed(volume.split(":")[:2]) for volume in SERVICES["grafana"]["volumes"])
    assert (ROOT / inside[provider["options"]["path"]] / "assay.json").is_file()
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / inside[str(home.parent)] / home.name).is_file()


def test_the_documented_way_to_make_a_key_gives_one_that_the_gateway_takes() -> None:
    page = (ROOT / "docs" / "operation.md").read_text("utf-8")
    [script] = re.findall(r"```sh\n(key=.*?)```", page, re.DOTALL)
    done = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, check=True)
    shown, line = done.stdout.splitlines()
    caller = parse(line.removeprefix("GATEWAY_API_KEYS="), "0.0.0.0").caller(shown.removeprefix("key: "))
    assert caller is not None
    assert caller.admin
