"""How the stand-in judge behaves: how long it takes, whom it refuses, and which calls go wrong and how."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.standalone.chance import draw

Share = Annotated[float, Field(ge=0, le=1, description="share of the calls")]


class Fault(StrEnum):
    """What can be wrong with a call."""

    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    SERVER_ERROR = "server_error"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    CONTEXT_TOO_LONG = "context_too_long"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    INVALID_JSON = "invalid_json"
    OUT_OF_RANGE = "out_of_range"
    CONTENT_FILTER = "content_filter"


class Behaviour(BaseModel):
    """What `PUT /behaviour` sets, all at once. `refuse` and `fail` go by the key of the part that is judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_seconds: float = Field(0.0, ge=0)
    refuse: frozenset[str] = frozenset()
    fail: Mapping[str, Fault] = Field(default_factory=dict)
    always: Fault | None = Field(None, description="what goes wrong with every call; the models are denied likewise")
    rate_429: Share = 0.0
    rate_500: Share = 0.0
    rate_invalid: Share = 0.0
    rate_timeout: Share = 0.0
    max_concurrency: int | None = Field(None, ge=1, description="calls at once; more are told 429")
    seed: int = 0

    def fault(self, key: str, number: int, in_flight: int) -> Fault | None:
        """What goes wrong with the call of this number, about this key, while so many others are being answered."""
        if self.always is not None:
            return self.always
        if self.max_concurrency is not None and in_flight >= self.max_concurrency:
            return Fault.RATE_LIMITED
        if key in self.refuse:
            return Fault.REFUSED
        return self.fail.get(key) or self._by_chance(number)

    def _by_chance(self, number: int) -> Fault | None:
        chance = draw(self.seed, number)
        if chance < self.rate_429:
            return Fault.RATE_LIMITED
        if chance < self.rate_429 + self.rate_500:
            return Fault.SERVER_ERROR
        if chance < self.rate_429 + self.rate_500 + self.rate_invalid:
            return Fault.INVALID_JSON if number % 2 else Fault.OUT_OF_RANGE
        if chance < self.rate_429 + self.rate_500 + self.rate_invalid + self.rate_timeout:
            return Fault.TIMEOUT
        return None
