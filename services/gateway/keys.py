"""Decides who asks: API keys come hashed with a name; the name owns the reports it asks for, an admin sees all."""

import hmac
import re
from collections.abc import Sequence
from hashlib import sha256
from ipaddress import ip_address
from typing import NamedTuple

_KEY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,63}):(?P<digest>[0-9a-fA-F]{64})(?P<admin>:admin)?")


class WrongKeysError(Exception):
    """GATEWAY_API_KEYS cannot be read, or is missing where it is needed; the message never repeats a key."""


class Caller(NamedTuple):
    """Who asks. Without keys that is whoever can reach loopback, who sees all and owns nothing by name."""

    name: str | None
    admin: bool

    def sees(self, owner: str | None) -> bool:
        """Whether this caller may know of a report with this owner."""
        return self.admin or (owner is not None and owner == self.name)

    @property
    def only(self) -> str | None:
        """The owner to whose reports this caller is confined; None: no bound."""
        return None if self.admin else self.name


ANYBODY = Caller(None, admin=True)


class Key(NamedTuple):
    """A key as configured: never itself, only its hash."""

    digest: str
    caller: Caller


class Keys(NamedTuple):
    """The keys of a gateway; none means that it is open, to loopback alone."""

    keys: Sequence[Key]

    @property
    def are_needed(self) -> bool:
        """Whether a caller must show one."""
        return bool(self.keys)

    def caller(self, shown: str | None) -> Caller | None:
        """Who shows this key; None if nobody does."""
        if not self.keys:
            return ANYBODY
        digest = sha256((shown or "").encode()).hexdigest()
        # all are compared, each in constant time: how long it takes says nothing about which one was close
        found = [key.caller for key in self.keys if hmac.compare_digest(key.digest, digest)]
        return found[0] if found else None


def parse(text: str, host: str) -> Keys:
    """The keys in GATEWAY_API_KEYS for a gateway that listens on `host`. Raises WrongKeysError."""
    keys = [_key(number, item.strip()) for number, item in enumerate(text.split(","), 1) if item.strip()]
    if not keys and not is_loopback(host):
        raise WrongKeysError(
            f"GATEWAY_API_KEYS: without keys the gateway serves loopback only, and GATEWAY_HOST is {host}; "
            "set name:sha256hex[:admin], or GATEWAY_HOST=127.0.0.1"
        )
    return Keys(keys)


def is_loopback(host: str) -> bool:
    """Whether a host, as configured or as a browser names it, is this machine and reachable from nowhere else."""
    name = host.lower().strip("[]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _key(number: int, text: str) -> Key:
    found = _KEY.fullmatch(text)
    if found is None:
        raise WrongKeysError(f"GATEWAY_API_KEYS: key {number} is not name:sha256hex[:admin]")
    return Key(found["digest"].lower(), Caller(found["name"], admin=found["admin"] is not None))
