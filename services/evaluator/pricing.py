"""What the calls for one part used, added up."""

from typing import NamedTuple

from shared.evaluations import Usage


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
                reasoning_tokens=self.usage.reasoning_tokens + usage.reasoning_tokens,
                cost_usd=cost,
            ),
            self.calls + 1,
        )
