"""
The C extension, which holds every batch as its payload's bytes and changes it without decoding.

In a component it is just there. In plain Python, as in a test of a plugin, it is the same code,
built for that Python: once, which takes seconds, and then kept in otelwasm's cache.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from otelwasm_sdk.failures import Malformed
from otelwasm_sdk.texts import text_of

__all__ = ["at_least", "below", "native"]

try:
    import otelwasm_native as native
except ImportError:
    from otelwasm.build.extension import load_extension

    native = load_extension()

native.use_malformed(Malformed)
native.use_text_of(text_of)
MutableMapping.register(native.Attributes)

at_least: Callable[[float], Any] = native.at_least
below: Callable[[float], Any] = native.below
