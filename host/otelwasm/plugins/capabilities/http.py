"""
Send a plugin's HTTP requests, where the configuration allows them.
"""

import threading
from collections.abc import Callable
from time import monotonic

import structlog

from otelwasm.outbound.addresses import Resolve, resolve
from otelwasm.outbound.client import Client
from otelwasm.outbound.config import HttpConfig
from otelwasm.outbound.failures import FailedError, RefusedError
from otelwasm.plugins._generated.http import (
    Error,
    ErrorFailed,
    ErrorRefused,
    ErrorTimeout,
    Request,
    Response,
)
from otelwasm.plugins.capabilities.log import harmless
from otelwasm.plugins.values import Err, Ok

__all__ = ["PluginHttp", "Refusals"]

# A refusal is said at once, then again after so long, with how often it happened meanwhile.
_QUIET_S = 60.0
# So many different ones in that time, so that a plugin that makes them up does not fill the log.
_MOST_REFUSALS = 50
_LONGEST_REASON = 1000


class PluginHttp:
    """
    The capability `http` of one plugin, for all its instances; it owns the connections.

    *resolve* finds the addresses of a name, as `socket.getaddrinfo` does.
    """

    def __init__(
        self, config: HttpConfig, *, plugin: str = "plugin", resolve: Resolve = resolve
    ) -> None:
        self._refusals = Refusals(plugin)
        self._client = Client(config, plugin=plugin, resolve=resolve)

    def send(self, request: Request) -> Ok[Response] | Err[Error]:
        """
        Send a request, wait for the response; a refusal is logged, too.
        """
        try:
            response = self._client.send(
                request.method,
                request.url,
                headers=request.headers,
                body=request.body,
                timeout_s=request.timeout_ms / 1000 if request.timeout_ms else None,
            )
        except RefusedError as refusal:
            reason = harmless(str(refusal), _LONGEST_REASON)
            self._refusals.note(reason)
            return Err(ErrorRefused(reason))
        except TimeoutError:
            return Err(ErrorTimeout())
        except FailedError as failure:
            return Err(ErrorFailed(str(failure)))
        return Ok(Response(response.status, response.headers, response.body))

    def close(self) -> None:
        """
        Close the connections; twice is safe.
        """
        self._client.close()


class Refusals:
    """
    Logs each refusal of a plugin's requests, but not each time that it happens.
    """

    def __init__(self, plugin: str, *, clock: Callable[[], float] = monotonic) -> None:
        self._log = structlog.get_logger("otelwasm").bind(plugin=plugin)
        self._clock = clock
        self._lock = threading.Lock()
        self._since = clock()
        self._seen: dict[str, int] = {}
        self._left_out = 0

    def note(self, reason: str) -> None:
        """
        Log *reason*, if it was not just now.
        """
        with self._lock:
            repeated, left_out = {}, 0
            now = self._clock()
            if now - self._since >= _QUIET_S:
                repeated, left_out = self._seen, self._left_out
                self._since, self._seen, self._left_out = now, {}, 0
            is_new = reason not in self._seen
            if is_new and len(self._seen) >= _MOST_REFUSALS:
                self._left_out += 1
                return
            self._seen[reason] = self._seen.get(reason, 0) + 1
        if left_out:
            self._log.warning("more http requests were refused than are shown", left_out=left_out)
        if is_new:
            count = repeated.get(reason, 1) - 1
            # The reason is the event, so that no sampling takes two of them for the same.
            self._log.warning(
                f"http request refused: {reason}", **({"repeated": count} if count else {})
            )
