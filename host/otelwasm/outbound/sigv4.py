"""
Sign a request as AWS asks for: Signature Version 4, with the signature in a header.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from otelwasm.outbound.config import AwsSigV4Config
from otelwasm.outbound.urls import Url

__all__ = ["SIGNED_BY_HOST", "sign"]

# What a plugin may not set itself, where the host signs.
SIGNED_BY_HOST = frozenset(
    ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
)

_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED = frozenset(("content-type", "date", "host", "range"))
_S3 = frozenset(("s3", "s3-outposts", "s3-object-lambda", "s3express"))


def sign(
    config: AwsSigV4Config,
    method: str,
    *,
    url: Url,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    now: datetime | None = None,
) -> list[tuple[str, str]]:
    """
    Return the headers that make a signed request of one with *headers*; they come on top.
    """
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    hashed = hashlib.sha256(body).hexdigest()
    is_s3 = config.service in _S3
    added = [("x-amz-date", moment)]
    if is_s3:
        added.append(("x-amz-content-sha256", hashed))
    if config.session_token is not None:
        added.append(("x-amz-security-token", config.session_token))
    signed = _signed_headers([*headers, *added, ("host", url.authority)])
    names = ";".join(name for name, _ in signed)
    request = "\n".join(
        (
            method,
            _path(url.path, is_s3=is_s3),
            _query(url.query),
            *(f"{name}:{value}" for name, value in signed),
            "",
            names,
            hashed,
        )
    )
    scope = f"{moment[:8]}/{config.region}/{config.service}/aws4_request"
    text = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = _hmac(_key(config, moment[:8]), text).hex()
    authorization = (
        f"{_ALGORITHM} Credential={config.access_key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return [*added, ("authorization", authorization)]


def _signed_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """
    Those that carry meaning on the way, sorted; equal names joined.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower.startswith("x-amz-") or lower in _SIGNED:
            values.setdefault(lower, []).append(" ".join(value.split()))
    return sorted((name, ",".join(each)) for name, each in values.items())


def _path(path: str, *, is_s3: bool) -> str:
    """
    Encode the path once for S3; for all others twice, and without empty segments.
    """
    once = quote(unquote_to_bytes(path), safe="/-_.~")
    return once if is_s3 else quote(re.sub("/+", "/", once), safe="/-_.~")


def _query(query: str | None) -> str:
    if not query:
        return ""
    pairs = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(
        unquote_plus(text, errors="surrogateescape"), safe="-_.~", errors="surrogateescape"
    )


def _key(config: AwsSigV4Config, day: str) -> bytes:
    key = f"AWS4{config.secret_access_key}".encode()
    for part in (day, config.region, config.service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
