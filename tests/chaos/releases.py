"""Makes a next release out of this one: the same code, with optional fields that this one has never heard of."""

import re
import shutil
from pathlib import Path

from tests.chaos.plan import Wish

ROOT = Path(__file__).parents[2]
UNHEARD = "UnheardOf"
_TYPE = re.compile(r'^    type: Literal\["(?!ReportRequested)(\w+)"\] = "\1"\n', re.MULTILINE)
_STORED = {"shared/state.py": r"^class (Plan|Report)\(Value\):", "shared/evaluations.py": r"^class Part\(Value\):"}
_FIELD = '    next_release: str | None = "what only the next release knows"\n'


def next_release(folder: Path) -> Path:
    """A tree in which every message but the request, and what is stored of it, has one more field."""
    for name in ("services", "shared"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    messages = folder / "shared" / "messages.py"
    text, count = _TYPE.subn(lambda found: found[0] + _FIELD, messages.read_text())
    assert count > 10, "no messages found to add a field to"
    messages.write_text(text)
    for name, heading in _STORED.items():
        file = folder / name
        text = re.sub(
            f"({heading}" + r'\n    """.*?"""\n\n)',
            lambda found: found[1] + _FIELD,
            file.read_text(),
            flags=re.MULTILINE | re.DOTALL,
        )
        assert _FIELD in text, f"nothing found to add a field to in {name}"
        file.write_text(text)
    return folder


def unheard(wish: Wish) -> dict[str, str]:
    """A message of a type that this release does not know, about a report that it does."""
    return {"type": UNHEARD, "report_id": wish.report_id}
