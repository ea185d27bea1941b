"""
Decide whether a request is allowed, and by which entry of the configuration.
"""

from collections.abc import Iterable

import attrs

from otelwasm.outbound.config import AllowConfig
from otelwasm.outbound.failures import RefusedError
from otelwasm.outbound.urls import Url

__all__ = ["Allowlist", "Entry"]


@attrs.frozen
class Entry:
    """
    One entry, ready to be compared with.
    """

    config: AllowConfig
    prefix: Url

    @property
    def peer(self) -> tuple[object, ...]:
        """
        Entries with an equal one may share connections.
        """
        return (*self.prefix.origin, self.config.private, self.config.tls)

    @classmethod
    def of(cls, config: AllowConfig) -> "Entry":
        """
        Read the URL of *config*.
        """
        return cls(config, Url.parse(config.url))

    def covers(self, url: Url) -> bool:
        """
        Whether *url* lies at the entry's URL or below: `/v1` has `/v1/x`, but not `/v10`.
        """
        if url.origin != self.prefix.origin:
            return False
        path = self.prefix.path
        if path.endswith("/"):
            return url.path.startswith(path)
        return url.path == path or url.path.startswith(f"{path}/")

    def __str__(self) -> str:
        return self.prefix.place


class Allowlist:
    """
    The entries of one plugin; the most specific one that fits a request decides about it.
    """

    def __init__(self, plugin: str, configs: Iterable[AllowConfig]) -> None:
        self._plugin = plugin
        self._entries = sorted(
            map(Entry.of, configs), key=lambda entry: len(entry.prefix.path), reverse=True
        )

    def entry(self, method: str, url: Url) -> Entry:
        """
        Find what allows the request; raise RefusedError.
        """
        covering = [entry for entry in self._entries if entry.covers(url)]
        for entry in covering:
            if method in entry.config.methods:
                return entry
        if covering:
            raise RefusedError(
                f"{method} is not allowed at {url.place}; add it to the methods of {covering[0]} "
                f"in capabilities.http.allow of plugin '{self._plugin}'"
            )
        needed = "" if method in ("GET", "HEAD") else f", methods: [{method}]"
        raise RefusedError(
            f'{url.place} is not allowed; add {{url: "{url.place}"{needed}}}, or what it '
            f"begins with, to capabilities.http.allow of plugin '{self._plugin}'"
        )
