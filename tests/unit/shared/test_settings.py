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
