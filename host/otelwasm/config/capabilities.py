"""
Name what a configuration grants to a plugin.
"""

import attrs

from otelwasm.config.values import ByteSize, at_least
from otelwasm.outbound.config import HttpConfig

__all__ = ["CapabilitiesConfig", "StateConfig"]


@attrs.frozen
class StateConfig:
    """
    Values that outlive the program, so many bytes of keys and values.
    """

    quota: ByteSize = attrs.field(default=ByteSize(16 << 20), validator=at_least(1))
    """Bytes of keys and values that it may keep."""


@attrs.frozen
class CapabilitiesConfig:
    """
    What a plugin may do beyond its batches, the log and the metrics: nothing by default.
    """

    http: HttpConfig | None = None
    """Send HTTP requests to the places on a list."""
    state: StateConfig | None = None
    """Keep values that outlive the program, in `service.state.directory`."""
