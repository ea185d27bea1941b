"""
Name what a configuration says about any plugin, be it a receiver, a processor or an exporter.
"""

from collections.abc import Mapping
from pathlib import Path

import attrs

from otelwasm.config.capabilities import CapabilitiesConfig
from otelwasm.config.places import existing
from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.plugins.lane import Lane

__all__ = ["LimitsConfig", "PluginConfig"]


@attrs.frozen
class LimitsConfig:
    """
    What a plugin may use; `waiting` bounds the bytes that wait for it, `log_lines` what it writes
    to the log in a second.
    """

    memory: ByteSize = attrs.field(
        default=ByteSize(256 << 20), validator=at_least(ByteSize(1 << 16))
    )
    """Memory of one instance; a plugin that asks for more loses the instance."""
    deadline: Duration = attrs.field(default=Duration(5), validator=at_least(Duration(0.001)))
    """Time of one call, less the host's own; a longer one ends the instance."""
    waiting: ByteSize = attrs.field(default=ByteSize(64 << 20))
    """Bytes that may wait in front of the plugin; what comes then is refused as retryable."""
    log_lines: int = attrs.field(default=100, validator=at_least(0))
    """Lines a second that reach the host's log; 0 for none."""


@attrs.frozen
class PluginConfig:
    """
    The keys that every `wasm/<name>` has; a kind adds its own in a subclass, as the keys are flat.

    *plugin* is a component, a Python plugin's file or folder, or a folder that one is built from.
    """

    plugin: Path = attrs.field(validator=existing)
    """A component (`.wasm`), a `.py` file or a folder with a plugin.py, which run as they are, or a
    folder that a component is built from."""
    config: Mapping[str, object] = attrs.field(factory=dict)
    """What the plugin is given at its start; checked by the plugin's own `Config`."""
    instances: int = attrs.field(default=1, validator=at_least(1))
    """How many run at once; with one, order is kept."""
    limits: LimitsConfig = LimitsConfig()
    """What an instance may use."""
    tick_interval: Duration | None = attrs.field(
        default=None, validator=attrs.validators.optional(at_least(Duration(0.001)))
    )
    """How often `tick` is called; never, if not given."""
    lane: Lane = "auto"
    """How bytes reach the plugin; `auto` takes the fastest that the component offers."""
    capabilities: CapabilitiesConfig = attrs.field(default=CapabilitiesConfig())
    """What the plugin may do besides; nothing, if not given."""
