"""
Give the host what a plugin says with Python's own `logging`.
"""

import sys
from types import ModuleType
from typing import Any

from otelwasm_sdk.host import HOST, Level

__all__ = ["forward_logging"]


def forward_logging() -> None:
    """
    Put the host's log in the place of the standard error, if the plugin uses `logging`.

    Levels stay as the plugin set them; where it set up nothing, INFO and above are written.
    """
    logging = sys.modules.get("logging")
    if logging is None:
        return
    root = logging.getLogger()
    if not root.handlers:
        root.setLevel(logging.INFO)
    root.handlers[:] = [each for each in root.handlers if not _writes_to_stderr(logging, each)]
    root.addHandler(_handler(logging))


def _writes_to_stderr(logging: ModuleType, handler: Any) -> bool:
    return type(handler) is logging.StreamHandler


def _handler(logging: Any) -> Any:
    # Not imported above: a plugin that does not use it need not carry it.
    levels: list[tuple[int, Level]] = [
        (logging.ERROR, "error"),
        (logging.WARNING, "warn"),
        (logging.INFO, "info"),
    ]

    class ToHost(logging.Handler):  # type: ignore[misc]  # its class is Any here
        def emit(self, record: Any) -> None:
            host = HOST.get(None)
            if host is not None:
                found = (name for least, name in levels if record.levelno >= least)
                level: Level = next(found, "debug")
                host.log(level, self.format(record), (("logger", record.name),))

    return ToHost()
