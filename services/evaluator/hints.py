"""What the headers of the judge's answers say about when to ask again, and how much may still be asked."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

from services.evaluator.calls import Headroom

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_KINDS = ("requests", "tokens")


def wait_asked_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the judge wants to be asked again; None if it does not say.

    In this order: `retry-after-ms`; `Retry-After` (RFC 9110: seconds, or a date, which is reckoned from the answer's
    own `Date` where it has one, as clocks differ); the longest `x-ratelimit-reset-*` of what is used up.
    """
    millis = _number(headers.get("retry-after-ms"))
    if millis is not None:
        return max(0.0, millis / 1000)
    told = headers.get("retry-after", "")
    seconds = _number(told)
    if seconds is None and (date := _date(told)):
        seconds = (date - (_date(headers.get("date", "")) or now)).total_seconds()
    if seconds is not None:
        return max(0.0, seconds)
    return headroom(headers).resets_in


def headroom(headers: Mapping[str, str]) -> Headroom:
    """What is left by `x-ratelimit-remaining-*`, and when what is used up is there again by `x-ratelimit-reset-*`."""
    left = {kind: _number(headers.get(f"x-ratelimit-remaining-{kind}")) for kind in _KINDS}
    resets = [_duration(headers.get(f"x-ratelimit-reset-{kind}")) for kind in _KINDS if left[kind] == 0]
    known = [seconds for seconds in resets if seconds is not None]
    return Headroom(_whole(left["requests"]), _whole(left["tokens"]), max(known, default=None))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _duration(text: str | None) -> float | None:
    """Seconds in `6m0s`, `1.5s` or `120ms`, or in a bare number, which some servers send."""
    number = _number(text)
    if number is not None:
        return max(0.0, number)
    found = _DURATION.findall(text or "")
    return sum(float(amount) * _UNITS[unit] for amount, unit in found) if found else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
