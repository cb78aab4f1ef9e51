"""What a report's workbook is told of before: results that retries replaced, and the parts it is compared with."""

from typing import NamedTuple

from shared.evaluations import Part
from shared.state import EarlierResult


class Past(NamedTuple):
    """`earlier` are part by part, oldest first; `baseline` the parts of the report that the plan's baseline names."""

    earlier: tuple[EarlierResult, ...] = ()
    baseline: tuple[Part, ...] = ()


NO_PAST = Past()
