"""
Write to the host's log: `log.info("text", key=value)`. The host adds the plugin's name.
"""

from otelwasm_sdk.host import current_host, pairs_of

__all__ = ["debug", "error", "info", "warning"]


def debug(message: str, /, **attributes: object) -> None:
    """
    Write a line for whoever looks for a fault.
    """
    current_host().log("debug", str(message), pairs_of(attributes))


def info(message: str, /, **attributes: object) -> None:
    """
    Write a line that is worth knowing.
    """
    current_host().log("info", str(message), pairs_of(attributes))


def warning(message: str, /, **attributes: object) -> None:
    """
    Write that something is off, but work goes on.
    """
    current_host().log("warn", str(message), pairs_of(attributes))


def error(message: str, /, **attributes: object) -> None:
    """
    Write that something was lost or cannot go on.
    """
    current_host().log("error", str(message), pairs_of(attributes))
