"""What judging costs: the API's own token counts times a versioned table; no price means no cost, not zero."""

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

from shared.evaluations import Usage, Value

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
PER = 1_000_000


class Price(Value):
    """US dollars per million tokens."""

    input: float
    cached: float
    output: float


class PriceTable(Value):
    """Prices by model, and which edition of them."""

    version: str
    models: Mapping[str, Price]

    def cost_usd(self, usage: Usage) -> float | None:
        """The cost of some usage; None where the model is not in the table."""
        name = usage.model or ""
        price = self.models.get(name) or self.models.get(_DATED.sub("", name))
        if price is None:
            return None
        fresh = max(0, usage.input_tokens - usage.cached_tokens)  # some servers count cached tokens apart
        total = fresh * price.input + usage.cached_tokens * price.cached + usage.output_tokens * price.output
        return round(total / PER, 9)


def read_prices(text: str) -> PriceTable:
    """The table in a TOML text. Raises ValidationError or TOMLDecodeError."""
    return PriceTable.model_validate(tomllib.loads(text))


class Bill(NamedTuple):
    """What several calls used, added up; the cost is unknown as soon as one of them has none."""

    usage: Usage = Usage()
    calls: int = 0

    def plus(self, usage: Usage) -> "Bill":
        """With one more call."""
        known = self.usage.cost_usd is not None or self.calls == 0
        cost = (self.usage.cost_usd or 0.0) + usage.cost_usd if known and usage.cost_usd is not None else None
        return Bill(
            Usage(
                model=usage.model or self.usage.model,
                input_tokens=self.usage.input_tokens + usage.input_tokens,
                output_tokens=self.usage.output_tokens + usage.output_tokens,
                cached_tokens=self.usage.cached_tokens + usage.cached_tokens,
                cost_usd=cost,
            ),
            self.calls + 1,
        )
