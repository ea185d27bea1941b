"""
Name what a configuration says about the requests of a plugin: where they may go, and how far.
"""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from otelwasm.config.structure import SHORT_FORM
from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.otlp.tls import ClientTls
from otelwasm.outbound.headers import check_name, check_value
from otelwasm.outbound.urls import Url

__all__ = ["AllowConfig", "AwsSigV4Config", "HttpConfig", "Method", "SignConfig"]

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _prefix(_: object, __: object, text: str) -> None:
    url = Url.parse(text)
    if url.query is not None or "#" in text:
        raise ValueError("expected the beginning of URLs; it has no query and no fragment")


def _headers(_: object, __: object, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        check_name(name)
        check_value(name, value)
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("a header is given twice; their case does not matter")


def _not_empty(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if not value:
        raise ValueError(f"{field.name}: expected at least one, or nothing is allowed")


def _some_text(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError(f"{field.name}: expected some printable text in ASCII")


def _secure(_: object, __: object, tls: ClientTls | None) -> None:
    if tls is not None and tls.insecure:
        raise ValueError("insecure: the URL decides; begin it with http:// for plain text")


@attrs.frozen
class AwsSigV4Config:
    """
    Sign requests as AWS asks for (Signature Version 4).
    """

    service: str = attrs.field(validator=_some_text)
    """The service's name in signatures, such as `s3`."""
    region: str = attrs.field(validator=_some_text)
    """The region, such as `eu-central-1`."""
    access_key_id: str = attrs.field(validator=_some_text)
    """The access key's id."""
    secret_access_key: str = attrs.field(validator=_some_text, repr=False)
    """The access key; the plugin never sees it."""
    session_token: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(_some_text), repr=False
    )
    """The token of temporary credentials."""


@attrs.frozen
class SignConfig:
    """
    How the host signs the requests of an entry.
    """

    aws_sigv4: AwsSigV4Config
    """Signature Version 4, as AWS and S3 servers ask for."""


@attrs.frozen
class AllowConfig:
    """
    One place that may be reached: all URLs that begin with *url*, a whole path segment at a time.

    The host adds *headers*, and a signature, to each request; the plugin never sees them. A name
    that resolves to a private, loopback or link-local address needs `private: true`.
    """

    url: str = attrs.field(validator=_prefix, metadata=SHORT_FORM)
    """The beginning of URLs that may be reached, a whole path segment at a time."""
    methods: tuple[Method, ...] = attrs.field(default=("GET", "HEAD"), validator=_not_empty)
    """Methods that may be used: any of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS."""
    headers: Mapping[str, str] = attrs.field(factory=dict, validator=_headers, repr=False)
    """Headers that the host adds; the plugin never sees them."""
    sign: SignConfig | None = None
    """How the host signs each request."""
    private: bool = False
    """Whether a name may resolve to a private, loopback or link-local address."""
    tls: ClientTls | None = attrs.field(default=None, validator=_secure)
    """Which servers to trust, and the certificate to show them."""


@attrs.frozen
class HttpConfig:
    """
    The capability `http` of one plugin. *timeout* is for a request with all its redirects.
    """

    allow: tuple[AllowConfig, ...] = attrs.field(validator=_not_empty)
    """The places that may be reached, at least one."""
    timeout: Duration = attrs.field(default=Duration(10), validator=at_least(Duration(0.001)))
    """Time for a request with all its redirects."""
    max_response_size: ByteSize = attrs.field(default=ByteSize(4 << 20), validator=at_least(1))
    """What a response's body may have."""
