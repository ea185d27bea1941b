"""
Send a plugin's HTTP requests, where the configuration allows them.
"""

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
from otelwasm.plugins.values import Err, Ok

__all__ = ["PluginHttp"]

# A refusal is said at once, then again after so long, with how often it happened meanwhile.
_QUIET_S = 60.0
_MOST_REFUSALS = 200


class PluginHttp:
    """
    The capability `http` of one plugin, for all its instances; it owns the connections.

    *resolve* finds the addresses of a name, as `socket.getaddrinfo` does.
    """

    def __init__(self, config: HttpConfig, *, plugin: str, resolve: Resolve = resolve) -> None:
        self._client = Client(config, plugin=plugin, resolve=resolve)
        self._refusals = _Refusals(plugin)

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
            self._refusals.note(str(refusal))
            return Err(ErrorRefused(str(refusal)))
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


class _Refusals:
    """
    Logs each refusal, but not each time that it happens.
    """

    def __init__(self, plugin: str, clock: Callable[[], float] = monotonic) -> None:
        self._log = structlog.get_logger("otelwasm").bind(plugin=plugin)
        self._clock = clock
        self._seen: dict[str, tuple[float, int]] = {}

    def note(self, reason: str) -> None:
        """
        Log *reason*, if it was not just now.
        """
        now = self._clock()
        since, count = self._seen.pop(reason, (None, 0))
        if since is not None and now - since < _QUIET_S:
            self._seen[reason] = (since, count + 1)
            return
        if len(self._seen) >= _MOST_REFUSALS:
            # A plugin can make up as many as it likes; the oldest may be said again.
            self._seen.pop(next(iter(self._seen)), None)
        self._seen[reason] = (now, 0)
        repeated = {"repeated": count} if count else {}
        # The reason is the event, so that no sampling takes two of them for the same.
        self._log.warning(f"http request refused: {reason}", **repeated)
