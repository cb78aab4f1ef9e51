"""Who may see what."""

from hashlib import sha256

import pytest

from services.gateway.keys import ANYBODY, WrongKeysError, is_loopback, parse

DIGEST = sha256(b"secret").hexdigest()


def test_the_name_of_a_key_is_the_caller() -> None:
    keys = parse(f"ann:{DIGEST}", "0.0.0.0")
    assert keys.caller("secret") == ("ann", False)


def test_a_key_that_is_not_known_is_nobody() -> None:
    keys = parse(f"ann:{DIGEST}", "0.0.0.0")
    assert keys.caller("Secret") is None
    assert keys.caller(DIGEST) is None
    assert keys.caller(None) is None


def test_a_digest_may_be_written_in_capitals() -> None:
    assert parse(f"ann:{DIGEST.upper()}", "0.0.0.0").caller("secret") is not None


def test_a_caller_sees_its_own_reports_only() -> None:
    caller = parse(f"ann:{DIGEST}", "0.0.0.0").caller("secret")
    assert caller is not None
    assert caller.sees("ann")
    assert not caller.sees("bob")
    assert not caller.sees(None)
    assert caller.only == "ann"


def test_an_admin_sees_all_reports_also_those_without_an_owner() -> None:
    caller = parse(f"root:{DIGEST}:admin", "0.0.0.0").caller("secret")
    assert caller is not None
    assert caller.sees("ann")
    assert caller.sees(None)
    assert caller.only is None


def test_a_name_may_have_two_keys_while_one_replaces_the_other() -> None:
    keys = parse(f"ann:{DIGEST}, ann:{sha256(b'new').hexdigest()}", "0.0.0.0")
    assert keys.caller("secret") == keys.caller("new")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_without_keys_loopback_is_open_to_anybody(host: str) -> None:
    keys = parse(" ", host)
    assert not keys.are_needed
    assert keys.caller(None) == ANYBODY


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org", ""])
def test_without_keys_no_other_host_is_served(host: str) -> None:
    with pytest.raises(WrongKeysError, match="loopback only"):
        parse("", host)


@pytest.mark.parametrize("text", ["secret", "ann:secret", f"ann:{DIGEST}:root", f":{DIGEST}", f"a b:{DIGEST}"])
def test_a_key_that_cannot_be_read_is_named_by_its_number_and_not_repeated(text: str) -> None:
    with pytest.raises(WrongKeysError, match="key 2 is not name:sha256hex") as raised:
        parse(f"ann:{DIGEST},{text}", "127.0.0.1")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.1", "evil", "[::2]"])
def test_only_this_machine_is_loopback(host: str) -> None:
    assert not is_loopback(host)
