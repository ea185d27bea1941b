"""
Let pages of other origins send telemetry: the Collector's `cors` keys.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import attrs

__all__ = ["CorsConfig"]

_DEFAULT_HEADERS = ("accept", "content-encoding", "content-type", "x-requested-with")


@attrs.frozen
class CorsConfig:
    """
    Which origins may send (`https://*.example.com` matches all its hosts) and with what headers.
    """

    allowed_origins: tuple[str, ...]
    """Origins whose pages may send; `https://*.example.com` matches all its hosts."""
    allowed_headers: tuple[str, ...] = ()
    """Headers that they may send, besides those that OTLP needs."""
    max_age: int = 0
    """Seconds for which a browser may remember this."""

    def headers(self, origin: str) -> Mapping[str, str]:
        """
        Return the headers that show an answer to a page of *origin*; none if it may not see it.
        """
        if not any(
            fnmatchcase(origin.lower(), allowed.lower()) for allowed in self.allowed_origins
        ):
            return {"vary": "origin"}
        return {"vary": "origin", "access-control-allow-origin": origin}

    def preflight_headers(self) -> Mapping[str, str]:
        """
        Return what a browser needs to know, beyond that, before it sends the request itself.
        """
        headers = {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": ", ".join(_DEFAULT_HEADERS + self.allowed_headers),
        }
        if self.max_age:
            headers["access-control-max-age"] = str(self.max_age)
        return headers
