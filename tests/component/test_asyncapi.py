"""The document other teams read is the one the running code makes."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_checked_in_document_is_what_the_code_makes() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "services.asyncapi"], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert (ROOT / "docs" / "asyncapi.json").read_text() == made.stdout, "run `make docs`"
    assert made.stderr == ""


def test_every_topic_of_the_contract_is_in_the_document() -> None:
    document = json.loads((ROOT / "docs" / "asyncapi.json").read_text())
    addresses = {channel["address"] for channel in document["channels"].values()}

    assert addresses == {
        "report.requests",
        "evaluation.tasks",
        "evaluation.tasks.bulk",
        "report.events",
        "report.status",
    }
