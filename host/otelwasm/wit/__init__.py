"""
Read WIT, and the types inside a component, into one model; compare the two; write them as text.

    packages = parse("wit/")                        # a file or a folder -> Packages
    world = packages.world("processor")
    for extern in world.exports:                    # Extern(name, item: Interface | Function)
        ...
    types = packages.interface("types")             # or by id: "otelwasm:plugin/types@0.1.0"
    for type_ in types.types:                       # Record | Variant | Enum | Flags | …
        print(type_.name, type_.owner, type_.docs)
    process = packages.interface("processing").function("process")
    abi.flat(process.params[0].type)                # ("i32",)

    surface = read_component(data)                  # imports and exports as Ports
    report = check(data, packages.main, ["processor", "python-processor"])
    if report.world is None:
        print(report)                               # what does not fit, and where it differs
    print(surface_text(surface))                    # the component's own WIT

`world.implied` holds the interfaces that a world imports without naming them, because others
use their types. The type classes are in `otelwasm.wit.types`, sizes and core types in
`otelwasm.wit.abi`, `check` in `otelwasm.wit.check`, how strict it is in `otelwasm.wit.fitting`,
`packages_text` and `surface_text` in `otelwasm.wit.writer`. Everything is an immutable value.
Errors are `WitError` for text and `ComponentError` for components, both of `otelwasm.errors`.
"""

from otelwasm.wit import abi
from otelwasm.wit.binary import Port, Surface, read_component
from otelwasm.wit.model import Extern, Interface, Package, PackageName, Use, World
from otelwasm.wit.packages import Packages, parse, parse_text

__all__ = [
    "Extern",
    "Interface",
    "Package",
    "PackageName",
    "Packages",
    "Port",
    "Surface",
    "Use",
    "World",
    "abi",
    "parse",
    "parse_text",
    "read_component",
]
