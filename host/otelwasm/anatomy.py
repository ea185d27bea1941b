"""
Take a component apart into its core modules: how large, made by what, with how much memory.
"""

from collections.abc import Iterator

import attrs

from otelwasm.errors import ComponentError
from otelwasm.wit.reader import Reader, component_sections

__all__ = ["Anatomy", "Memory", "Module", "Producer", "take_apart"]

_CUSTOM, _CORE_MODULE, _COMPONENT = 0, 1, 4
_CORE_HEAD = b"\0asm\x01\0\0\0"
_CORE_SECTIONS = (
    "custom",
    "types",
    "imports",
    "functions",
    "tables",
    "memories",
    "globals",
    "exports",
    "start",
    "elements",
    "code",
    "data",
    "data count",
    "tags",
)
_MEMORIES = 5
_PAGE_BYTES = 1 << 16
_HAS_MAXIMUM, _IS_64_BIT, _HAS_PAGE_SIZE = 1, 4, 8


@attrs.frozen
class Producer:
    """
    One line of what tools write about themselves; *field* is language, processed-by or sdk.
    """

    field: str
    name: str
    version: str

    def __str__(self) -> str:
        """
        Name and version, neither twice: `Go 1.26.8`, `wit-component 0.245.1`.
        """
        version = self.version.partition(" (")[0]
        return f"{self.name} {version.removeprefix(self.name.lower())}".strip()


@attrs.frozen
class Memory:
    """
    A memory as a module defines it; without a maximum, 4 GiB and what the host allows are it.
    """

    minimum_bytes: int
    maximum_bytes: int | None = None


@attrs.frozen
class Module:
    """
    A core module: its name, if the component has its modules' names, and what it is made of.

    *sections* are sizes in bytes; custom sections stand under their own names.
    """

    name: str
    size_bytes: int
    sections: dict[str, int]
    memories: tuple[Memory, ...] = ()
    producers: tuple[Producer, ...] = ()


@attrs.frozen
class Anatomy:
    """
    All core modules, in order; *own_bytes* is what the component is beside them.
    """

    modules: tuple[Module, ...]
    producers: tuple[Producer, ...]
    own_bytes: int

    def sections(self) -> dict[str, int]:
        """
        The sizes of all modules' sections together, the largest first.
        """
        total: dict[str, int] = {}
        for module in self.modules:
            for name, size in module.sections.items():
                total[name] = total.get(name, 0) + size
        return dict(sorted(total.items(), key=lambda item: -item[1]))


def take_apart(data: bytes) -> Anatomy:
    """
    The parts of the component in *data*; ComponentError if it is none or is damaged.
    """
    modules: list[Module] = []
    producers: list[Producer] = []
    names: dict[int, str] = {}
    own_bytes = len(data)
    components = [Reader(data)]
    while components:
        component = components.pop(0)
        is_outermost = component.end - component.at == len(data)
        for number, content in component_sections(component):
            if number == _CORE_MODULE:
                own_bytes -= content.end - content.at
                modules.append(_module(content))
            elif number == _COMPONENT:
                components.append(content)
            elif number == _CUSTOM and is_outermost:
                match content.text():
                    case "producers":
                        producers.extend(_producers(content))
                    case "component-name":
                        names = _module_names(content)
    named = [
        attrs.evolve(module, name=names.get(place, "")) for place, module in enumerate(modules)
    ]
    return Anatomy(tuple(named), tuple(producers), own_bytes)


def _module(content: Reader) -> Module:
    size = content.end - content.at
    head = content.part(min(8, size))
    if content.data[head.at : head.end] != _CORE_HEAD:
        raise ComponentError(f"bad component: no core module at byte {head.at}")
    sections: dict[str, int] = {}
    memories: list[Memory] = []
    producers: list[Producer] = []
    while content.at < content.end:
        number = content.byte()
        section = content.part(content.u32())
        length = section.end - section.at
        name = _CORE_SECTIONS[number] if number < len(_CORE_SECTIONS) else f"section {number}"
        if number == _CUSTOM:
            name = section.text()
            if name == "producers":
                producers.extend(_producers(section))
        elif number == _MEMORIES:
            memories.extend(section.several(_memory))
        sections[name] = sections.get(name, 0) + length
    return Module("", size, sections, tuple(memories), tuple(producers))


def _memory(reader: Reader) -> Memory:
    flags = reader.byte()
    read = reader.u64 if flags & _IS_64_BIT else reader.u32
    minimum = read()
    maximum = read() if flags & _HAS_MAXIMUM else None
    page = _PAGE_BYTES
    if flags & _HAS_PAGE_SIZE:
        power = reader.u32()
        if power not in (0, 16):
            raise reader.error(f"a memory with pages of 2^{power} bytes")
        page = 1 << power
    return Memory(minimum * page, None if maximum is None else maximum * page)


def _producers(reader: Reader) -> Iterator[Producer]:
    for _ in range(reader.u32()):
        field = reader.text()
        for name, version in reader.several(lambda r: (r.text(), r.text())):
            yield Producer(field, name, version)


def _module_names(reader: Reader) -> dict[int, str]:
    """
    The names of core modules in a `component-name` section.
    """
    while reader.at < reader.end:
        kind = reader.byte()
        part = reader.part(reader.u32())
        if kind == 1 and (part.byte(), part.byte()) == (0, 0x11):
            return dict(part.several(lambda r: (r.u32(), r.text())))
    return {}
