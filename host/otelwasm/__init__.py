"""
Run OpenTelemetry pipelines whose receivers, processors and exporters are WebAssembly components.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otelwasm.errors import (
        BatchError,
        BuildError,
        ComponentError,
        ConfigError,
        OtelwasmError,
        PermanentError,
        PluginFaultError,
        PluginStartError,
        RetryableError,
        SetupError,
        WitError,
    )
    from otelwasm.inspection import Inspection, inspect
    from otelwasm.messages import Message, Reply
    from otelwasm.outbound.config import AllowConfig, HttpConfig
    from otelwasm.pipeline.replay import Replayed
    from otelwasm.plugins.capabilities.http import PluginHttp
    from otelwasm.plugins.capabilities.state import PluginState
    from otelwasm.plugins.limits import Limits
    from otelwasm.plugins.plugin import Plugin
    from otelwasm.service import Pipeline
    from otelwasm.signals import Signal
    from otelwasm.validation import Validation, validate

__all__ = [
    "AllowConfig",
    "BatchError",
    "BuildError",
    "CaseError",
    "ComponentError",
    "ConfigError",
    "HttpConfig",
    "Inspection",
    "Limits",
    "Message",
    "OtelwasmError",
    "PermanentError",
    "Pipeline",
    "Plugin",
    "PluginFaultError",
    "PluginHttp",
    "PluginStartError",
    "PluginState",
    "Replayed",
    "Reply",
    "RetryableError",
    "SetupError",
    "Signal",
    "Validation",
    "WitError",
    "inspect",
    "validate",
]

_HOMES = {
    "AllowConfig": "otelwasm.outbound.config",
    "HttpConfig": "otelwasm.outbound.config",
    "Inspection": "otelwasm.inspection",
    "Limits": "otelwasm.plugins.limits",
    "Message": "otelwasm.messages",
    "Pipeline": "otelwasm.service",
    "Plugin": "otelwasm.plugins.plugin",
    "PluginHttp": "otelwasm.plugins.capabilities.http",
    "PluginState": "otelwasm.plugins.capabilities.state",
    "Replayed": "otelwasm.pipeline.replay",
    "Reply": "otelwasm.messages",
    "Signal": "otelwasm.signals",
    "Validation": "otelwasm.validation",
    "inspect": "otelwasm.inspection",
    "validate": "otelwasm.validation",
}


def __getattr__(name: str) -> object:
    # Loaded when first asked for: wasmtime and gRPC take a while, and not every use needs both.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _kept():
        home = import_module(_HOMES.get(name, "otelwasm.errors"))
    return getattr(home, name)


@contextmanager
def _kept() -> Iterator[None]:
    """
    Collect no garbage meanwhile: what is imported stays, and to look for garbage in it again and
    again takes a twentieth of the time.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_collecting:
            gc.enable()
