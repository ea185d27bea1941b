"""
A URL has one form, which is both compared and sent; what could be read in two ways is refused.
"""

import pytest

from otelwasm.outbound.urls import Url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/A", "https://example.com/A"),
        ("http://example.com.:80/", "http://example.com/"),
        ("http://example.com:8080?a=b", "http://example.com:8080/?a=b"),
        ("https://a.b/x?y=[z]#fragment", "https://a.b/x?y=[z]"),
        ("https://a.b/%7euser/%2f%c3%a9", "https://a.b/~user/%2F%C3%A9"),
        ("https://a.b/v1/../admin", "https://a.b/admin"),
        ("https://a.b/v1/%2e%2E/admin", "https://a.b/admin"),
        ("https://a.b/v1/./x/.", "https://a.b/v1/x/"),
        ("https://a.b/../../x", "https://a.b/x"),
        ("https://a.b/a//../b", "https://a.b/a/b"),
        ("https://a.b/x/..", "https://a.b/"),
        ("http://127.0.0.1:9/", "http://127.0.0.1:9/"),
        ("http://[::0001]:9/", "http://[::1]:9/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_urls_have_one_form(text: str, expected: str) -> None:
    """
    Case, default ports, final dots, needless escapes and dot segments make no difference.
    """
    assert expected == str(Url.parse(text))
    assert expected == str(Url.parse(expected))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with https"),
        ("example.com/", "begins with https"),
        ("ftp://example.com/", "begins with https"),
        ("//example.com/", "begins with https"),
        ("https:example.com", "begins with https"),
        ("https:///x", "no host name"),
        ("https://user@example.com/", "a user name"),
        ("https://allowed.com@evil.com/", "a user name"),
        ("https://allowed.com:pw@evil.com/", "a user name"),
        ("https://evil.com\\@allowed.com/", "a user name"),
        ("https://evil.com\\.allowed.com/", "no host name"),
        ("https://a.b\\c/", "no host name"),
        ("https://a.b/\\..\\admin", "percent-encoded"),
        ("https://a.b/v1/..%2fadmin", "hidden dot segment"),
        ("https://a.b/v1/..%5Cadmin", "hidden dot segment"),
        ("https://a.b/v1/%252e%252e/admin", "hidden dot segment"),
        ("https://a.b/v1/..;/admin", "hidden dot segment"),
        ("https://a.b/v1/%2e%2e%3b/admin", "hidden dot segment"),
        ("https://a.b/%2525252525", "escapes of escapes"),
        ("https://a.b/a%00", "control character"),
        ("https://a.b/a%0d%0aX:y", "control character"),
        ("https://a.b/%zz", "no percent escape"),
        ("https://a.b/%4", "no percent escape"),
        ("https://a.b/a b", "percent-encoded"),
        ("https://a.b/a\r\nx: y", "percent-encoded"),
        ("https://a.b/?a b", "percent-encoded"),
        ("https://a.b/?a\r\nx: y", "percent-encoded"),
        ("https://a.b/é", "percent-encoded"),
        ("https://bücher.example/", "xn--"),
        ("https://ⓔxample.com/", "xn--"),
        ("https://a%2eb/", "no host name"),
        ("https://a..b/", "no host name"),
        ("https://-a.b/", "no host name"),
        ("https://a b/", "no host name"),
        ("https://a.b:0/", "a port"),
        ("https://a.b:65536/", "a port"),
        ("https://a.b:/", "a port"),
        ("https://a.b:8 0/", "a port"),
        ("https://a.b:+80/", "a port"),
        ("http://2130706433/", "no IPv4 address"),
        ("http://127.1/", "no IPv4 address"),
        ("http://0177.0.0.1/", "no IPv4 address"),
        ("http://0x7f000001/", "no IPv4 address"),
        ("http://0x7f.0.0.0x1/", "no IPv4 address"),
        ("http://1.2.3.4.5/", "no IPv4 address"),
        ("http://[fe80::1%25eth0]/", "no IPv6 address"),
        ("http://[::1/", "no IPv6 address"),
        ("http://::1/", "no host name"),
        ("http://[::1]x/", "no IPv6 address"),
        ("https://a.b/" + "x" * 9000, "longer than"),
    ],
)
def test_odd_urls_are_refused(text: str, reason: str) -> None:
    """
    Nothing is guessed.
    """
    with pytest.raises(ValueError, match=reason):
        Url.parse(text)
