"""
The most specific entry that fits a request decides; what none fits is refused with the remedy.
"""

import pytest

from otelwasm.outbound.allowlist import Allowlist
from otelwasm.outbound.config import AllowConfig
from otelwasm.outbound.failures import RefusedError
from otelwasm.outbound.urls import Url


def found(method: str, url: str, *entries: AllowConfig) -> str:
    """
    The URL of the entry that allows a request.
    """
    return Allowlist("x", entries).entry(method, Url.parse(url)).config.url


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        ("https://a.b", "https://a.b/anything?x=y"),
        ("https://a.b/v1", "https://a.b/v1"),
        ("https://a.b/v1", "https://a.b/v1/x"),
        ("https://a.b/v1", "https://a.b/v1?x"),
        ("https://a.b/v1/", "https://a.b/v1/x"),
        ("https://a.b/v1/", "https://A.B:443/v0/../v1/x"),
        ("https://a.b/%7Ex/", "https://a.b/~x/y"),
    ],
)
def test_what_lies_below_is_allowed(prefix: str, url: str) -> None:
    """
    A prefix covers its own URL and all below it.
    """
    assert prefix == found("GET", url, AllowConfig(prefix))


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        ("https://a.b/v1", "https://a.b/v10"),
        ("https://a.b/v1/", "https://a.b/v10"),
        ("https://a.b/v1/", "https://a.b/v1"),
        ("https://a.b/v1/", "https://a.b/v1/../v2/x"),
        ("https://a.b/v1/", "https://a.b/V1/x"),
        ("https://a.b/v1/", "https://a.b//v1/x"),
        ("https://a.b/", "http://a.b/"),
        ("https://a.b/", "https://a.b:444/"),
        ("https://a.b/", "https://x.a.b/"),
        ("https://a.b/", "https://a.b.evil.com/"),
        ("https://1.2.3.4/", "https://[::ffff:1.2.3.4]/"),
    ],
)
def test_what_lies_beside_is_refused(prefix: str, url: str) -> None:
    """
    The refusal has what to add.
    """
    with pytest.raises(
        RefusedError, match=r"add \{url: .* to capabilities.http.allow of plugin 'x'"
    ):
        found("GET", url, AllowConfig(prefix))


def test_the_longest_prefix_decides() -> None:
    """
    Entries may overlap, each with methods and credentials of its own.
    """
    wide = AllowConfig("https://a.b/", methods=("GET", "PUT"))
    narrow = AllowConfig("https://a.b/v1/", methods=("GET",))

    assert narrow.url == found("GET", "https://a.b/v1/x", wide, narrow)
    assert wide.url == found("PUT", "https://a.b/v1/x", wide, narrow)


def test_a_method_that_is_not_listed() -> None:
    """
    The refusal names the entry to change, and no query.
    """
    with pytest.raises(RefusedError) as caught:
        found("DELETE", "https://a.b/v1/x?token=secret", AllowConfig("https://a.b/v1/"))

    assert (
        "DELETE is not allowed at https://a.b/v1/x; add it to the methods of https://a.b/v1/ "
        "in capabilities.http.allow of plugin 'x'"
    ) == str(caught.value)
