"""
Addresses are read as the Collector reads them.
"""

import pytest

from otelwasm.otlp.endpoints import Address, GrpcTarget, http_url, is_loopback


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:4317", "localhost", 4317),
        ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::1]:4317", "::1", 4317),
        (":4317", "", 4317),
    ],
)
def test_addresses_are_host_and_port(text: str, host: str, port: int) -> None:
    """
    An address is a host, which may be empty or an IPv6 address in brackets, and a port.
    """
    address = Address.parse(text)

    assert (host, port) == (address.host, address.port)
    assert text == str(address)


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "localhost:", "4317", "::1:4317", "a:70000", "a:x", "http://a:1", "a:-1"],
)
def test_other_addresses_are_refused(text: str) -> None:
    """
    What is no host:port is refused with an example of one.
    """
    with pytest.raises(ValueError, match="expected host:port, such as"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("text", "name", "is_plain"),
    [
        ("127.0.0.1:4317", "127.0.0.1:4317", True),
        ("localhost:4317", "localhost:4317", True),
        ("[::1]:4317", "[::1]:4317", True),
        ("collector:4317", "collector:4317", False),
        ("dns:///collector:4317", "dns:///collector:4317", False),
        ("http://collector:4317", "collector:4317", True),
        ("https://localhost:4317/", "localhost:4317", False),
        ("unix:///run/otel.sock", "unix:///run/otel.sock", True),
    ],
)
def test_plain_text_is_for_http_and_for_this_machine(text: str, name: str, is_plain: bool) -> None:
    """
    A scheme decides on TLS; without one it is used for every machine but this one.
    """
    target = GrpcTarget.parse(text)

    assert (name, is_plain) == (target.name, target.is_plain)


def test_loopback_is_this_machine() -> None:
    """
    Only names and addresses that cannot be another machine count as this one.
    """
    hosts = [
        "localhost",
        "a.localhost",
        "127.8.8.8",
        "::1",
        "localhost.example.com",
        "10.0.0.1",
        "",
    ]

    assert [is_loopback(host) for host in hosts] == [True, True, True, True, False, False, False]


def test_urls_need_scheme_and_host() -> None:
    """
    A URL loses its last slash; what is none is refused.
    """
    assert http_url("http://localhost:4318/otlp/") == "http://localhost:4318/otlp"
    for text in ("localhost:4318", "ftp://a", "http://", ""):
        with pytest.raises(ValueError, match="expected a URL, such as"):
            http_url(text)
