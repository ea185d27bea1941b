"""
Count the linear memories of a component, before any of it runs.
"""

from otelwasm.plugins.binary import MAGIC, Reader, UnknownFormError

__all__ = ["MODULE_MAGIC", "memory_count"]

_CORE_MODULE, _CORE_INSTANCE, _COMPONENT, _ALIASES = 1, 2, 4, 6
MODULE_MAGIC = b"\0asm\1\0\0\0"
_MEMORY_SECTION = 5


def memory_count(guest: bytes) -> int:
    """
    How many memories an instance of *guest* makes; UnknownFormError if that cannot be seen.
    """
    modules: list[int] = []
    total = 0
    reader = Reader(guest, len(MAGIC))
    while reader.at < len(guest):
        kind = reader.byte()
        end = reader.number() + reader.at
        if kind == _CORE_MODULE:
            modules.append(_defined(guest, reader.at, end))
        elif kind == _CORE_INSTANCE:
            for _ in range(reader.number()):
                module = _instantiated(reader)
                if module is not None:
                    if module >= len(modules):
                        raise UnknownFormError("it instantiates a module that it did not define")
                    total += modules[module]
        elif kind == _COMPONENT and memory_count(guest[reader.at : end]):
            raise UnknownFormError("a component inside of it has a memory of its own")
        elif kind == _ALIASES:
            for _ in range(reader.number()):
                if reader.alias()[:2] == (0, 0x11):
                    raise UnknownFormError("it has an alias of a module")
        reader.at = end
    return total


def _defined(guest: bytes, start: int, end: int) -> int:
    """
    The memories that a core module defines.
    """
    if guest[start : start + len(MODULE_MAGIC)] != MODULE_MAGIC:
        raise UnknownFormError("it holds a module of an unknown version")
    reader = Reader(guest, start + len(MODULE_MAGIC))
    while reader.at < end:
        kind = reader.byte()
        stop = reader.number() + reader.at
        if kind == _MEMORY_SECTION:
            return reader.number()
        reader.at = stop
    return 0


def _instantiated(reader: Reader) -> int | None:
    """
    Read a core instance; returns the module that it is made of, if it is made of one.
    """
    if reader.byte() == 1:
        for _ in range(reader.number()):
            reader.string()
            reader.byte()
            reader.number()
        return None
    module = reader.number()
    for _ in range(reader.number()):
        reader.string()
        reader.byte()
        reader.number()
    return module
