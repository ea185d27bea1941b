"""
Read WIT, and the types inside a component, into one model; compare the two.

    packages = parse("wit/")                        # a file or a folder -> Packages
    world = packages.world("processor")
    for extern in world.exports:                    # Extern(name, item: Interface | Function)
        ...
    types = packages.interface("types")             # or by id: "otelwasm:plugin/types@0.1.0"
    for type_ in types.types:                       # Record | Variant | Enum | Flags | …
        print(type_.name, type_.owner, type_.docs)
    process = packages.interface("processing").function("process")
    abi.flat(process.params[0].type)                # ("i32",)

`world.implied` holds the interfaces that a world imports without naming them, because others
use their types. The type classes are in `otelwasm.wit.types`, sizes and core types in
`otelwasm.wit.abi`. Everything is an immutable value; errors are `otelwasm.errors.WitError`.
"""

from otelwasm.wit import abi
from otelwasm.wit.model import Extern, Interface, Package, PackageName, Use, World
from otelwasm.wit.packages import Packages, parse, parse_text

__all__ = [
    "Extern",
    "Interface",
    "Package",
    "PackageName",
    "Packages",
    "Use",
    "World",
    "abi",
    "parse",
    "parse_text",
]
