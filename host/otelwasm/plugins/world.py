"""
Describe a world to the runtime: which functions cross, and the bridges that carry them.

The generated bindings build these values; everything in them was decided by the generator.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from otelwasm.plugins.abi import Memory

__all__ = [
    "LENGTH_SUFFIX",
    "Bridges",
    "GuestFunction",
    "HostFunction",
    "IntegerFunction",
    "World",
]

# In the direct lane a parameter `x: list<u8>` of a host function is `x: u32, x-length: u32`, which
# has the same core form. The generated bridges and relift.py agree on that.
LENGTH_SUFFIX = "-length"


@attrs.frozen
class GuestFunction:
    """
    One function that a plugin exports; *params* and *result* are core types.

    The result of a function whose *result_size* is not 0 lies in memory.
    """

    interface: str
    name: str
    params: tuple[str, ...]
    result: str | None = None
    result_size: int = 0
    result_alignment: int = 1

    def __str__(self) -> str:
        return f"{self.interface}#{self.name}" if self.interface else self.name


@attrs.frozen
class HostFunction:
    """
    One function that the host offers: *take* its arguments, *bind* it, *give* its result.

    *fail* makes the result that says what went wrong, where the result's type can say that.
    """

    interface: str
    name: str
    label: str
    bind: Callable[[Any], Callable[..., Any]]
    take: Callable[[Memory, Memory], tuple[Any, ...]]
    give: Callable[[Memory, Any], None] | None = None
    fail: Callable[[str], Any] | None = None

    def __str__(self) -> str:
        return f"{self.interface}#{self.name}" if self.interface else self.name


@attrs.frozen
class IntegerFunction:
    """
    A host function of u32 parameters and a u32 result, which crosses without a bridge.
    """

    interface: str
    name: str


@attrs.frozen
class Bridges:
    """
    The text of a world's bridge components; see compose.py for where each goes.
    """

    imports: str
    imports_direct: str
    exports: str

    @classmethod
    def beside(cls, module: str) -> "Bridges":
        """
        Read the bridges that were generated together with *module*.
        """
        place = Path(module)
        kinds = ("imports", "imports-direct", "exports")
        return cls(*(place.with_suffix(f".{kind}.wat").read_text("utf-8") for kind in kinds))


@attrs.frozen
class World:
    """
    A world that plugins may be built for.

    *offered* are the interfaces that the imports bridge exports, *needed* those of them that the
    exports bridge imports again for their types, *required* the interfaces that a plugin must
    export; the `_functions` are those of the world itself.
    *guest_functions* are known to the exports bridge by their keys. *digest* changes with the text
    of the *bridges*.
    """

    name: str
    package: str
    offered: tuple[str, ...]
    needed: tuple[str, ...]
    required: tuple[str, ...]
    offered_functions: tuple[str, ...]
    required_functions: tuple[str, ...]
    host_functions: tuple[HostFunction, ...]
    guest_functions: dict[str, GuestFunction]
    bridges: Callable[[], Bridges]
    digest: str
    heap_at: int
