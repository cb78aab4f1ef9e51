"""Which trace a report's work belongs to: the one that its request came with, else one computed from its id.

So every process finds it without being told, also one that takes up after a crash: one trace per report.
"""

import re
from hashlib import sha256
from typing import NamedTuple

HEADER = "traceparent"
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
SAMPLED = "01"


class Trace(NamedTuple):
    """A place in a trace, as W3C Trace Context has it: lower-case hexadecimal."""

    trace_id: str
    span_id: str
    flags: str = SAMPLED

    @property
    def traceparent(self) -> str:
        """The header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


class About(NamedTuple):
    """Whom the work at hand is about, and where in which trace it stands."""

    report_id: str
    part_id: str | None
    trace: Trace


def parsed(header: str | None) -> Trace | None:
    """The place that a header names; None where there is none, or none that can be used."""
    found = _TRACEPARENT.fullmatch(header or "")
    return Trace(*found.groups()) if found else None


def derived(report_id: str) -> Trace:
    """The trace of a report whose request came without one. Its root is a place, not a span: nobody reports it."""
    digest = sha256(f"assay/{report_id}".encode()).hexdigest()
    return Trace(digest[:32], digest[32:48])


def about(report_id: str, part_id: str | None, header: str | None) -> About:
    """Whom a message is about, with the header that it came with, if any."""
    return About(report_id, part_id, parsed(header) or derived(report_id))
