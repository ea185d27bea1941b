"""
Lend each plugin its state: two versions of one, while the new takes over, have the same.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from otelwasm.plugins.capabilities.state import PluginState

__all__ = ["LentState", "States"]


class States:
    """
    A file below *directory* for each plugin that is granted a state; closed by its last borrower.

    Without a directory the state is kept in memory: to try a plugin beside a pipeline that runs.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._open: dict[str, tuple[PluginState, int]] = {}

    def lend(self, component: str, *, plugin: str, quota_bytes: int) -> "LentState":
        """
        The state of *component* (`processor/wasm/redact`); raises SetupError.
        """
        # Only with a plugin that is granted one.
        from otelwasm.plugins.capabilities.state import PluginState

        with self._lock:
            state, borrowers = self._open.get(component, (None, 0))
            if state is None:
                path = None
                if self._directory is not None:
                    file = f"{quote(component.replace('/', '.'), safe='')}.sqlite"
                    path = self._directory / file
                state = PluginState(path, plugin=plugin, quota_bytes=quota_bytes)
            state.quota_bytes = quota_bytes
            self._open[component] = (state, borrowers + 1)
        return LentState(state, lambda: self._take_back(component))

    def _take_back(self, component: str) -> None:
        with self._lock:
            state, borrowers = self._open.pop(component)
            if borrowers > 1:
                self._open[component] = (state, borrowers - 1)
            else:
                state.close()


class LentState:
    """
    The capability `state` of one version of a plugin.
    """

    def __init__(self, state: "PluginState", give_back: Callable[[], None]) -> None:
        self.get = state.get
        self.set = state.set
        self.delete = state.delete
        self._give_back: Callable[[], None] | None = give_back

    def close(self) -> None:
        """
        Give it back; twice is safe.
        """
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()
