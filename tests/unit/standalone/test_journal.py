"""What the stand-in was asked is on disk before it answers, and tells who asked about what."""

from itertools import count
from pathlib import Path

from services.standalone.behaviour import Fault
from services.standalone.journal import Asked, Journal
from services.standalone.question import Question
from shared.vocabulary import Role
from tests.chaos.evidence import Call, calls

QUESTION = Question(Role.AGENT, "7", "Ann", (), (), (), goal="r1")


def test_a_call_is_written_down_as_it_arrives_and_as_it_ends(tmp_path: Path) -> None:
    ticks = count(1)
    journal = Journal.at(tmp_path / "journal", lambda: float(next(ticks)))
    journal.begin(Asked(1, "evaluator-1", QUESTION, None))
    journal.begin(Asked(2, "evaluator-2", QUESTION, Fault.SERVER_ERROR))
    journal.end(1, answered=True)
    journal.begin(Asked(3, "evaluator-2", QUESTION, None))
    journal.end(3, answered=False)

    assert calls(tmp_path / "journal") == [
        Call("evaluator-1", "r1/agent/7", None, 1.0, 3.0, answered=True),
        Call("evaluator-2", "r1/agent/7", "server_error", 2.0, None, answered=False),
        Call("evaluator-2", "r1/agent/7", None, 4.0, 5.0, answered=False),
    ]


def test_a_journal_goes_on_where_another_process_ended(tmp_path: Path) -> None:
    for run in (1, 2):
        with (tmp_path / "journal").open("ab") as file:
            Journal(file.fileno(), lambda: 0.0, run).begin(Asked(1, f"of-{run}", QUESTION, None))

    assert [call.who for call in calls(tmp_path / "journal")] == ["of-1", "of-2"]
