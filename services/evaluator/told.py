"""Says in the log what a part came to: ids, numbers and the closed reason, never a word of what was judged."""

import logging

from shared.chassis.logs import say
from shared.messages import Outcome, PartFailed

logger = logging.getLogger(__name__)


def tell(outcome: Outcome) -> None:
    """One line per outcome; whom it is about the log knows."""
    usage = outcome.usage
    say(
        logger,
        "part errored" if isinstance(outcome, PartFailed) else "part evaluated",
        reason=outcome.reason.value if isinstance(outcome, PartFailed) else None,
        generation=outcome.generation,
        attempts=outcome.attempts,
        seconds=outcome.seconds,
        model=usage.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=usage.cost_usd,
    )
