"""Finds free ports on loopback for the children of a standalone."""

import os
import socket
from collections.abc import Iterator

_FIRST, _COUNT = 20_000, 10_000
_STRIDE = 97  # keeps two standalones with neighbouring process ids from looking at the same ports


def free_ports(host: str = "127.0.0.1") -> Iterator[int]:
    """Free ports, each once.

    They lie below the range that the system takes clients' ports from: there a client that dials the port of a broker
    that is just being restarted can be given that very port, and connects to itself.
    """
    start = os.getpid() * _STRIDE
    for offset in range(_COUNT):
        port = _FIRST + (start + offset) % _COUNT
        if is_free(host, port):
            yield port


def is_free(host: str, port: int) -> bool:
    """Nobody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
