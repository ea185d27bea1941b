"""
A name leads to public addresses, or nowhere.
"""

import ipaddress
import threading

import pytest

from otelwasm.outbound.addresses import addresses, is_public, resolve
from otelwasm.outbound.allowlist import Entry
from otelwasm.outbound.config import AllowConfig
from otelwasm.outbound.failures import RefusedError

PUBLIC = "93.184.216.34"


def reached(url: str, *answers: str, private: bool = False) -> list[str]:
    """
    The addresses that may be connected to, if the name resolves to *answers*.
    """
    entry = Entry.of(AllowConfig(url, private=private))
    return addresses(entry, timeout_s=5, resolve=lambda host, timeout_s: list(answers))


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """
    What is on the open Internet may be reached.
    """
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.9",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001:0:7f00:1::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_other_addresses(address: str) -> None:
    """
    Private, loopback, link-local, shared, reserved, multicast, or IPv4 in disguise: none is public.
    """
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(
        RefusedError, match=r"no public address.*add private: true to https://a\.b/"
    ):
        reached("https://a.b/", address)


def test_only_public_ones_of_several_are_used() -> None:
    """
    A name that resolves to both is reached by its public addresses.
    """
    assert [PUBLIC] == reached("https://a.b/", "10.0.0.1", PUBLIC, "::1", PUBLIC)


def test_private_addresses_need_the_word() -> None:
    """
    `private: true` opens an entry to them, but never to all machines at once.
    """
    assert ["10.0.0.1", "169.254.1.1"] == reached(
        "https://a.b/", "10.0.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.0", private=True
    )


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://10.0.0.1/"])
def test_an_address_that_is_listed_is_meant(url: str) -> None:
    """
    An entry with an address itself asks no resolver.
    """
    assert [Entry.of(AllowConfig(url)).prefix.host] == reached(url, PUBLIC)


def test_localhost_is_this_machine_or_nothing() -> None:
    """
    `localhost` in an entry means loopback; it leads to no other private address.
    """
    assert ["127.0.0.1", "::1"] == reached("http://localhost:9/", "127.0.0.1", "::1", "10.0.0.1")
    with pytest.raises(RefusedError):
        reached("http://localhost.evil.com/", "127.0.0.1")


def test_the_system_resolves_names() -> None:
    """
    The usual resolver knows this machine.
    """
    assert {"127.0.0.1", "::1"} & set(resolve("localhost", 5))


def test_a_resolver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A look-up ends with the request's time, though nothing can cut it short.
    """
    answered = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answered.wait(30) and [])

    with pytest.raises(TimeoutError):
        resolve("example.com", 0.01)
    answered.set()
