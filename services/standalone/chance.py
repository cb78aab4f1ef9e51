"""Variety without randomness: a number between 0 and 1 that follows from what it is drawn for."""

from hashlib import blake2b


def draw(*subject: object) -> float:
    """A number in [0, 1): the same for the same subject, evenly spread over different ones."""
    text = "\x1f".join(map(str, subject)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big") / 2**48
