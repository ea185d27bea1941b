"""
Answer what a plugin asks of the host: emit a batch, write to the log, count, keep, send a request.

Everything here is called on a worker's thread, from inside a guest's call. A capability that was
not granted answers with its own error value, so that the plugin can go on without it.
"""

from otelwasm.plugins._generated.http import Http
from otelwasm.plugins._generated.state import State
from otelwasm.plugins.capabilities.failures import failure_error, failure_of
from otelwasm.plugins.capabilities.log import Log, PluginLog
from otelwasm.plugins.capabilities.meter import Meter, PluginMeter
from otelwasm.plugins.capabilities.pipeline import Emit, PluginPipeline
from otelwasm.plugins.capabilities.refusing import NoHttp, NoState

__all__ = ["Capabilities", "Emit", "Log", "Meter", "failure_error", "failure_of"]


class Capabilities:
    """
    The host's side of every world, for one plugin; it owns the *http* and *state* it is given.
    """

    def __init__(
        self,
        plugin: str,
        *,
        emit: Emit | None,
        log: Log | None,
        meter: Meter | None,
        http: Http | None = None,
        state: State | None = None,
        log_lines_per_second: int = 100,
    ) -> None:
        self.pipeline = PluginPipeline(plugin, emit)
        self.log = PluginLog(plugin, log, lines_per_second=log_lines_per_second)
        self.meter = PluginMeter(self.log, meter)
        self.http: Http = http or NoHttp()
        self.state: State = state or NoState()

    def close(self) -> None:
        """
        Close what holds connections or files; twice is safe.
        """
        self.log.close()
        for owner in (self.http, self.state):
            close = getattr(owner, "close", None)
            if close is not None:
                close()
