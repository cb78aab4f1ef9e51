"""How a room's log lines look, and what they know by themselves."""

import json
import logging

from shared.chassis.logs import FIELDS, JsonLines, TextLines
from shared.chassis.traces import working_on
from shared.traces import derived


def a_record(**fields: object) -> logging.LogRecord:
    record = logging.LogRecord("room", logging.INFO, __file__, 1, "part %s", ("evaluated",), None)
    setattr(record, FIELDS, fields)
    return record


def test_a_line_for_machines_says_whom_it_is_about() -> None:
    with working_on("r-1", "r-1/agent/7"):
        line = json.loads(JsonLines().format(a_record(attempts=2)))
    assert line["message"] == "part evaluated"
    assert (line["report_id"], line["part_id"], line["attempts"]) == ("r-1", "r-1/agent/7", 2)
    assert line["trace_id"] == derived("r-1").trace_id


def test_a_line_for_people_says_the_same_at_its_end() -> None:
    with working_on("r-1"):
        line = TextLines("%(levelname)s %(message)s").format(a_record(attempts=2))
    assert line == f"INFO part evaluated report_id=r-1 trace_id={derived('r-1').trace_id} attempts=2"


def test_a_line_about_nobody_names_nobody() -> None:
    line = json.loads(JsonLines().format(a_record()))
    assert line.keys() == {"time", "level", "logger", "message"}


def test_what_is_done_next_is_about_somebody_else() -> None:
    with working_on("r-1"), working_on("r-2"):
        pass
    assert "report_id" not in JsonLines().format(a_record())
