"""What judging costs: the API's own token counts times a versioned table; no price means no cost, not zero."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from shared.evaluations import Usage, Value

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")
PER = 1_000_000


class Price(Value):
    """US dollars per million tokens."""

    input: float
    cached: float
    output: float


class PriceTable(Value):
    """Prices by model, which edition of them, and where they were read."""

    version: str
    source: str = ""
    models: Mapping[str, Price]

    def price_of(self, model: str) -> Price | None:
        """The price of a model; a dated name that is not in the table has the price of the undated one."""
        return self.models.get(model) or self.models.get(_DATED.sub("", model))

    def cost_usd(self, usage: Usage) -> float | None:
        """The cost of some usage; None where the model is not in the table.

        Cached tokens are among the input, reasoning tokens among the output: neither is counted beside them.
        """
        price = self.price_of(usage.model or "")
        if price is None:
            return None
        fresh = max(0, usage.input_tokens - usage.cached_tokens)  # some servers count cached tokens apart
        total = fresh * price.input + usage.cached_tokens * price.cached + usage.output_tokens * price.output
        return round(total / PER, 9)


def read_prices(text: str) -> PriceTable:
    """The table in a TOML text. Raises ValidationError or TOMLDecodeError."""
    return PriceTable.model_validate(tomllib.loads(text))


@lru_cache(maxsize=1)
def packaged_prices() -> PriceTable:
    """The table that ships with the release: the same in every room."""
    return read_prices(files("shared").joinpath("prices.toml").read_text("utf-8"))
