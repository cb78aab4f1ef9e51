"""What a standalone starts for what is not configured, and what its children are told."""

import itertools
from pathlib import Path

import pytest

from services.standalone import programs
from services.standalone.programs import Embedded, Program
from shared import settings as environment
from shared.settings import Settings


def settings(monkeypatch: pytest.MonkeyPatch, directory: Path, **variables: str) -> Settings:
    monkeypatch.chdir(directory)  # no .env
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "MONGO_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return environment.load()


def test_everything_is_embedded_where_nothing_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = programs.embedded(settings(monkeypatch, tmp_path), itertools.count(20000))
    assert parts == Embedded(20000, 20001, 20002)
    assert parts.environment["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:20000"
    assert parts.environment["OPENAI_BASE_URL"] == "http://127.0.0.1:20002/v1"
    assert parts.environment["KAFKA_FETCH_MAX_WAIT_MS"] == "20"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_a_configured_judge_is_never_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    parts = programs.embedded(settings(monkeypatch, tmp_path, **{name: "something"}), itertools.count(20000))
    assert parts.judge is None
    assert not [variable for variable in parts.environment if variable.startswith("OPENAI")]
    assert programs.in_words(parts) == "Judge: as configured. Broker and database: embedded."


def test_a_configured_broker_keeps_its_own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configured = settings(monkeypatch, tmp_path, KAFKA_BOOTSTRAP_SERVERS="kafka:9092", MONGO_URL="mongodb://db")
    parts = programs.embedded(configured, itertools.count(20000))
    assert set(parts.environment) == {"OPENAI_BASE_URL", "OPENAI_API_KEY"}


def test_what_is_a_stand_in_is_said() -> None:
    assert programs.in_words(Embedded(1, 2, 3)) == (
        "Judge: stand-in (no model): set OPENAI_API_KEY for a real one. Broker and database: embedded."
    )


def test_every_room_has_its_own_port_and_evaluators_their_own_names() -> None:
    found = programs.rooms(2, itertools.count(20000), {"MONGO_URL": "mongodb://db"}, ("broker",))
    assert [program.name for program in found] == ["orchestrator", "evaluator-1", "evaluator-2", "renderer"]
    assert [program.environment["HTTP_PORT"] for program in found] == ["20000", "20001", "20002", "20003"]
    assert found[1].command[-2:] == ("-m", "services.evaluator")
    assert found[1].ready_at == "http://127.0.0.1:20001/readyz"


def test_a_child_inherits_the_environment_under_its_own() -> None:
    program = Program("x", (), "tcp://127.0.0.1:1", {"PORT": "1"})
    assert program.environment_from({"PORT": "2", "HOME": "/"}) == {"PORT": "1", "HOME": "/"}


def test_a_child_that_keeps_little_inherits_little() -> None:
    program = Program("x", (), "tcp://127.0.0.1:1", {"PORT": "1"}, keeps=frozenset({"PATH", "LANG"}))
    assert program.environment_from({"PATH": "/bin", "CERT": "mine"}) == {"PATH": "/bin", "PORT": "1"}
