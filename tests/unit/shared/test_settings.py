from pathlib import Path

import pytest

from shared.settings import LlmSettings, SettingsError, load


def test_the_concurrency_of_one_model_can_differ() -> None:
    settings = LlmSettings(max_concurrency="10,gpt-4o=3")

    assert settings.default_concurrency == 10
    assert settings.model_concurrency == {"gpt-4o": 3}


def test_every_wrong_variable_is_named_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MAX_CONCURRENCY", "many")
    monkeypatch.setenv("KAFKA_TASKS_PARTITIONS", "0")

    with pytest.raises(SettingsError) as raised:
        load()

    lines = str(raised.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["KAFKA_TASKS_PARTITIONS", "LLM_MAX_CONCURRENCY"]


@pytest.mark.parametrize("limits", ["0", "10,gpt-4o=0"])
def test_a_limit_of_no_calls_at_once_is_refused(limits: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LlmSettings(max_concurrency=limits)


def test_a_secret_can_be_given_as_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-from-a-file\n")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))

    assert load().openai.api_key.get_secret_value() == "sk-from-a-file"


def test_a_secret_given_twice_or_in_a_file_that_is_not_there_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("sk-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("MONGO_URL_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(SettingsError) as raised:
        load()

    mongo, openai = str(raised.value).splitlines()
    assert mongo.startswith("MONGO_URL_FILE: ")
    assert openai == "OPENAI_API_KEY: also given as OPENAI_API_KEY_FILE; set one of them"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"security_protocol": "SASL_SSL"}, "KAFKA_SASL_USERNAME"),
        ({"ssl_cafile": __file__}, "KAFKA_SSL_CAFILE"),
        ({"security_protocol": "SSL", "ssl_certfile": __file__}, "KAFKA_SSL_CERTFILE"),
        ({"heartbeat_interval_ms": 9_000}, "KAFKA_HEARTBEAT_INTERVAL_MS"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, object], named: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"KAFKA_{name.upper()}", str(value))

    with pytest.raises(SettingsError, match=f"^{named}: "):
        load()


def test_a_database_address_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", "postgres://user:secret@host")

    with pytest.raises(SettingsError, match=r"^MONGO_URL: must begin with mongodb://") as raised:
        load()

    assert "secret" not in str(raised.value)
