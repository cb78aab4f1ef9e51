"""How text of strangers is written to the judge: on one line each, within a fence that it can neither close nor forge.

Values are written as JSON. What could be taken for a fence, for a turn of a chat or for nothing at all is written as
the JSON escape of the same character: the value stays what it was, and the judge sees that it is there.
"""

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

MARK_DIGITS = 16

_INVISIBLE = (
    "\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff"
)
_JOINERS = "\u200c\u200d"  # they shape Persian, Indic scripts and emoji, where their neighbours are no ASCII
_SELECTORS = "\ufe00-\ufe0f"  # one after an emoji is how it is drawn, several in a row carry something else
_TELLTALE = re.compile(
    f"[{_INVISIBLE}]|(?<![^\0-\x7f])[{_JOINERS}]|[{_JOINERS}](?![^\0-\x7f{_JOINERS}])|(?<=[{_SELECTORS}])[{_SELECTORS}]"
    r"|=(?===)"  # a fence's line has five
    r"|<(?=[|\uff5c])|(?<=[|\uff5c])>"  # <|im_start|>, <|eot_id|>, and the like with a wide bar
    r"|<(?=/?(?:s|bos|eos|pad|unk|system|user|assistant|human|tool|start_of_turn|end_of_turn)>)|<(?=</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)


def line(value: object) -> str:
    """The value as JSON on one line, with every telltale character escaped; JSON reads the same value from it."""
    return _TELLTALE.sub(_escaped, json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


class Section(NamedTuple):
    """Lines under a name."""

    name: str
    lines: Sequence[str]


def fenced(*sections: Section) -> str:
    """The sections, each in its fence.

    The fences' mark is a hash over all lines, which whoever wrote one of them cannot have put into it.
    """
    bodies = ["\n".join(section.lines) for section in sections]
    mark = sha256("\n".join(bodies).encode()).hexdigest()[:MARK_DIGITS]
    return "\n\n".join(
        f"===== {section.name} {mark} begins =====\n{body}\n===== {section.name} {mark} ends ====="
        for section, body in zip(sections, bodies, strict=True)
    )


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _units(found[0]))


def _units(character: str) -> Sequence[int]:
    """The character as UTF-16, as JSON's escapes want it."""
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[place : place + 2], "big") for place in range(0, len(raw), 2)]
