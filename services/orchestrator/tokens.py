"""How many tokens a judge has for a task's evidence, and how many a text takes, reckoned without the model's tokenizer.

The weights are those of a script in the vocabularies measured, the dearer one, rounded up: see docs/decisions/0015.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from shared.messages import ReportRequested

MODEL_WINDOWS: Mapping[str, int] = MappingProxyType(  # tokens, by the beginning of the model's name
    {
        "gpt-3.5-turbo": 16_385,
        "gpt-4": 8_192,
        "gpt-4-turbo": 128_000,
        "gpt-4o": 128_000,
        "gpt-4.1": 1_047_576,
        "gpt-5": 400_000,
        "o1": 200_000,
        "o3": 200_000,
        "o4": 200_000,
        "claude": 200_000,
        "gemini": 1_000_000,
        "llama-3": 128_000,
        "mistral": 128_000,
        "qwen": 32_768,
        "deepseek": 64_000,
    }
)
UNKNOWN_WINDOW = 128_000  # of a model that is not in the table; REPORT_CONTEXT_TOKENS says otherwise
ANSWER_TOKENS = 16_384  # kept free for the answer and, at most, a quarter of the window
RULES_TOKENS = 1_500  # what the judge is told beside task and evidence, and the answer's schema
MARGIN = 0.9  # of what is left: the reckoning is not the model's own
LEAST_TOKENS = 500  # of evidence, however small the window
MOST_TOKENS_A_BYTE = 1.0


class Budget(NamedTuple):
    """What the evidence of one task may take: bytes of JSON, and tokens."""

    size: int
    tokens: int

    def share(self, pieces: int) -> "Budget":
        """What each of so many has."""
        return Budget(self.size // pieces, self.tokens // pieces)

    @property
    def row_bytes(self) -> int:
        """The most that one row may have, so that it fits in any case."""
        return min(self.size, int(self.tokens / MOST_TOKENS_A_BYTE))


def budget_of(request: ReportRequested, size: int, window: int | None) -> Budget:
    """The budget of each task of a report; `window` overrules the table."""
    options = request.options
    whole = window or context_window(options.judge_model)
    answer = min(options.max_output_tokens or ANSWER_TOKENS, whole // 4)
    asked = estimated_tokens(request.criteria.model_dump_json())
    return Budget(size, max(LEAST_TOKENS, int((whole - answer - RULES_TOKENS - asked) * MARGIN)))


def context_window(model: str) -> int:
    """The window of a model in tokens, by the longest beginning of its name that is in the table."""
    name = model.lower().rpartition("/")[2]
    known = [beginning for beginning in MODEL_WINDOWS if name.startswith(beginning)]
    return MODEL_WINDOWS[max(known, key=len)] if known else UNKNOWN_WINDOW


class _Weight(NamedTuple):
    """Tokens for each of these bytes: of ASCII, or the first ones of other characters."""

    others: bytes  # all bytes but these
    tokens: float


def _weight(tokens: float, *ranges: range) -> _Weight:
    counted = {byte for some in ranges for byte in some}
    return _Weight(bytes(byte for byte in range(256) if byte not in counted), tokens)


def _byte_range(first: int, last: int) -> range:
    return range(first, last + 1)


_WEIGHTS = (
    _weight(0.35, _byte_range(0x41, 0x5A), _byte_range(0x61, 0x7A), range(0x20, 0x21)),  # Latin letters, spaces
    _weight(0.7, _byte_range(0x30, 0x39)),  # digits: alone in ids and hashes, three to a token in numbers
    _weight(
        0.5, range(0x20), _byte_range(0x21, 0x2F), _byte_range(0x3A, 0x40), _byte_range(0x5B, 0x60), range(0x7B, 0x80)
    ),
    _weight(1.2, _byte_range(0xC0, 0xDF)),  # accents, Greek, Cyrillic, Hebrew, Arabic
    _weight(1.55, range(0xE0, 0xE1)),  # Indic scripts, Thai
    _weight(2.9, range(0xE1, 0xE2)),  # Ethiopic, Georgian, Burmese, Khmer
    _weight(1.5, range(0xE2, 0xE3)),  # signs
    _weight(1.35, _byte_range(0xE3, 0xED)),  # Chinese, Japanese, Korean
    _weight(1.5, _byte_range(0xEE, 0xEF)),
    _weight(2.8, _byte_range(0xF0, 0xFF)),  # emoji
)


def estimated_tokens(text: str | bytes) -> int:
    """About as many tokens as the text has for the model that needs most of them; more for all others."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return int(sum(len(raw.translate(None, weight.others)) * weight.tokens for weight in _WEIGHTS)) + 1
