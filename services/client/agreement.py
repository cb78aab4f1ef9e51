"""How far a judge agrees with people: accuracy, Cohen's kappa, and the table of who said what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Pair(NamedTuple):
    """What people say of one thing, and what the judge said."""

    label: str
    judged: str


class Agreement(NamedTuple):
    """`words` are the rows and columns of the table in their order; `pairs` how often each pair occurred."""

    words: tuple[str, ...]
    pairs: Counter[Pair]

    @property
    def n(self) -> int:
        """How many were compared."""
        return self.pairs.total()

    @property
    def agreed(self) -> int:
        """How often the judge said what people say."""
        return sum(count for pair, count in self.pairs.items() if pair.label == pair.judged)

    @property
    def accuracy(self) -> float | None:
        """The share in which the judge said what people say; None of nothing."""
        return self.agreed / self.n if self.n else None

    @property
    def most_frequent(self) -> str:
        """The word that people say most often: a judge that always says it is the one to beat."""
        labels = Counter(pair.label for pair in self.pairs.elements())
        return max(self.words, key=lambda word: labels[word])

    @property
    def kappa(self) -> float | None:
        """Agreement beyond chance: 1 is perfect, 0 what two who guess by their own habits would reach.

        (observed - expected) / (1 - expected), the expected agreement being that of independent raters with these
        frequencies: J. Cohen, A Coefficient of Agreement for Nominal Scales, Educational and Psychological Measurement
        20 (1960). None where it is not defined: of nothing, or where both always said the same one word.
        """
        if not self.n:
            return None
        labels = Counter(pair.label for pair in self.pairs.elements())
        judged = Counter(pair.judged for pair in self.pairs.elements())
        by_chance = sum(labels[word] * judged[word] for word in self.words)  # of n², in whole numbers
        if by_chance == self.n**2:
            return None
        return (self.agreed * self.n - by_chance) / (self.n**2 - by_chance)


def agreement(pairs: Iterable[Pair], order: Sequence[str] = ()) -> Agreement:
    """How far labels and judgements agree; words of the order come first, others as they sort."""
    counted = Counter(pairs)
    said = {word for pair in counted for word in pair}
    others = sorted(said - set(order))
    return Agreement((*(word for word in order if word in said), *others), counted)


def table(found: Agreement) -> list[str]:
    """The confusion table: people's words down, the judge's across."""
    heads = ["label \\ judged", *found.words]
    rows = [[label, *(f"{found.pairs[Pair(label, judged)]:,}" for judged in found.words)] for label in found.words]
    lines = [heads, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return ["  ".join(_aligned(line, widths)) for line in lines]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The first cell to the left, the numbers to the right."""
    yield line[0].ljust(widths[0])
    yield from (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))


def figures(found: Agreement) -> str:
    """Accuracy and kappa in one line, each with what it is of."""
    if found.accuracy is None:
        return "nothing to compare"
    kappa = "not defined" if found.kappa is None else f"{found.kappa:.3f}"
    return f"accuracy {found.accuracy:.3f} ({found.agreed:,} of {found.n:,}), Cohen's kappa {kappa}"
