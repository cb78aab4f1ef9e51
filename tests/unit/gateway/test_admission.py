"""What becomes of a body sent to `POST /reports`."""

import json
from typing import Any

import pytest

from services.gateway.admission import RECORD_BYTES, Admission, admit
from services.gateway.problems import MOST_FIELDS, ProblemError
from shared.messages import InlineData, ReportRequested


def admitted(**fields: Any) -> Admission:
    return admit(json.dumps({"kind": "agents", **fields}).encode(), "ann", "spare")


def refused(body: bytes) -> ProblemError:
    with pytest.raises(ProblemError) as raised:
        admit(body, None, "spare")
    return raised.value


def test_a_report_without_an_id_gets_the_spare_one() -> None:
    assert admitted().request.report_id == "spare"
    assert admitted(report_id=None).request.report_id == "spare"
    assert admitted(report_id="mine").request.report_id == "mine"


def test_the_hash_does_not_depend_on_order_spacing_id_or_type() -> None:
    first = admit(b'{"kind": "agents", "title": "T"}', None, "a")
    second = admit(b'{"type":"ReportRequested","title":"T","report_id":"b","kind":"agents"}', "ann", "c")
    assert first.content_sha256 == second.content_sha256


def test_a_default_that_was_sent_is_other_content_than_one_that_was_not() -> None:
    assert admitted().content_sha256 != admitted(runs_per_agent=20).content_sha256


def test_the_record_has_the_fields_as_sent() -> None:
    admission = admitted(report_id="r", period={"from": "2026-11-01T00:00:00Z"}, options={"fail_fast": True})
    assert json.loads(admission.record) == {
        "type": "ReportRequested",
        "report_id": "r",
        "owner": "ann",
        "kind": "agents",
        "period": {"from": "2026-11-01T00:00:00Z"},
        "options": {"fail_fast": True},
    }
    assert ReportRequested.model_validate_json(admission.record) == admission.request


def test_the_same_content_gives_the_same_record() -> None:
    run = {"run_id": "1", "extra": 1, "another": 2}
    body = {"kind": "agents", "report_id": "r", "data": {"agents": [{"agent_id": "7", "runs": [run]}]}}
    turned = {name: body[name] for name in reversed(body)}
    assert admit(json.dumps(body).encode(), None, "a").record == admit(json.dumps(turned).encode(), None, "b").record


def test_what_the_gateway_itself_says_cannot_be_sent() -> None:
    admission = admitted(owner="bob", data_sha256="f" * 64)
    assert admission.request.owner == "ann"
    assert admission.request.data_sha256 is None
    assert admission.content_sha256 == admitted().content_sha256


def test_unknown_fields_are_ignored_but_kept_in_runs() -> None:
    run = {"run_id": "1", "cpu": 3}
    admission = admitted(colour="red", data={"agents": [{"agent_id": "7", "runs": [run]}]})
    assert "colour" not in admission.record
    assert json.loads(admission.record)["data"]["agents"][0]["runs"] == [run]


def test_data_too_large_for_a_record_travels_by_its_hash() -> None:
    run = {"run_id": "1", "input": "x" * RECORD_BYTES}
    admission = admitted(data={"agents": [{"agent_id": "7", "runs": [run]}]})
    assert admission.upload is not None
    assert admission.request.data is None
    assert admission.request.data_sha256 == admission.upload.sha256
    assert len(admission.record) < 1000
    data = InlineData.model_validate_json(admission.upload.content)
    assert data.agents is not None
    assert len(str(data.agents[0].runs[0].input)) == RECORD_BYTES


def test_small_data_travels_in_the_record() -> None:
    assert admitted(data={"agents": []}).upload is None


def test_a_request_that_is_too_large_without_its_data_is_refused() -> None:
    error = refused(json.dumps({"kind": "agents", "metadata": {"note": "x" * RECORD_BYTES}}).encode())
    assert error.problem.status == 422
    assert "all but `data`" in error.problem.errors[0].message


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"kind": "\xff"}', b'{"kind": NaN}', b'{"title": 1e999}', b"[" * 1000, b'"\\ud800"']
)
def test_what_is_not_json_is_a_bad_request(body: bytes) -> None:
    assert refused(body).problem.status == 400


def test_what_is_not_an_object_does_not_fit() -> None:
    error = refused(b"[]")
    assert error.problem.status == 422
    assert error.problem.errors[0].field == "body"


def test_every_wrong_field_has_a_line_which_does_not_repeat_the_input() -> None:
    error = refused(b'{"kind": "private", "report_id": "a b", "options": {"trials": 0}}')
    assert {item.field for item in error.problem.errors} == {"kind", "report_id", "options.trials"}
    assert "private" not in error.problem.model_dump_json()
    assert error.problem.detail == "3 fields are wrong."


def test_a_thousand_wrong_fields_have_a_hundred_lines() -> None:
    error = refused(json.dumps({"kind": "agents", "agent_ids": [{}] * 1000}).encode())
    assert len(error.problem.errors) == MOST_FIELDS
    assert error.problem.detail == "1000 fields are wrong."
