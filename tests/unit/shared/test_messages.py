from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from shared import messages
from shared.examples import EXAMPLES
from shared.messages import EVENT, REQUEST, PartFailed, ReportRequested
from shared.vocabulary import Reason


def test_a_field_from_a_newer_release_is_ignored() -> None:
    request = REQUEST.validate_json('{"type": "CancelRequested", "report_id": "r", "why": "new field"}')

    assert request.report_id == "r"


def test_unknown_fields_of_a_run_are_kept_as_evidence() -> None:
    agents = '[{"agent_id": 7, "runs": [{"run_id": 1, "steps": 4}]}]'
    body = f'{{"type": "ReportRequested", "report_id": "r", "kind": "agents", "data": {{"agents": {agents}}}}}'
    request = REQUEST.validate_json(body)

    assert isinstance(request, ReportRequested)
    assert request.data is not None
    assert request.data.agents is not None
    assert request.data.agents[0].agent_id == "7"
    assert request.data.agents[0].runs[0].model_extra == {"steps": 4}


@pytest.mark.parametrize(
    "body",
    [
        "{broken",
        '{"type": "ReportRequested", "report_id": "r", "kind": "horoscope"}',
        '{"type": "Unheard", "report_id": "r"}',
        '{"type": "ReportRequested", "report_id": "../etc", "kind": "agents"}',
        '{"type": "ReportRequested", "report_id": "r\\n", "kind": "agents"}',
        '{"type": "RetryRequested", "report_id": "r", "generation": 1}',
        '{"type": "ReportRequested", "report_id": "r", "kind": "agents", "options": {"cost_limit_usd": NaN}}',
        '{"type": "CancelRequested", "report_id": "\\ud800"}',
        b'{"type": "CancelRequested", "report_id": "\xff"}',
    ],
)
def test_what_is_not_a_request_is_refused(body: str | bytes) -> None:
    with pytest.raises(ValidationError):
        REQUEST.validate_json(body)


def test_every_reason_says_what_to_do_in_one_line() -> None:
    for reason in Reason:
        assert reason.what_to_do.endswith(".")
        assert "\n" not in reason.what_to_do


def test_an_event_survives_the_wire() -> None:
    event = PartFailed(
        report_id="r",
        part_id="r/agent/7",
        generation=1,
        reason=Reason.REFUSED,
        detail="no",
        attempts=1,
        retryable=False,
        seconds=0.5,
        finished_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    )

    assert EVENT.validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_example_of_a_message_is_valid_and_complete(name: str) -> None:
    model = getattr(messages, name)
    example = model.model_validate(EXAMPLES[name])

    assert model.model_json_schema()["examples"] == [EXAMPLES[name]]
    assert EXAMPLES[name].keys() <= model.model_fields.keys()
    assert model.model_validate_json(example.model_dump_json(by_alias=True)) == example
