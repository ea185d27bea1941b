"""
Make components of the contract out of a few lines of WAT, without any tool.

A guest's core module has the names that wit-component gives: it imports
`"otelwasm:plugin/log@0.1.0" "write"`, exports `"otelwasm:plugin/processing@0.1.0#process"`, and,
for post-returns, `"cabi_post_…"`. Its memory and allocator are in a module of their own, so that
the functions that it imports can be lowered before it exists.
"""

from wasmtime import wat2wasm

from otelwasm.bindgen.shape import Call, Shape, ordered_types, shape_of
from otelwasm.bindgen.wat import (
    Names,
    body,
    exported_types,
    imported_instance,
    signature,
)
from otelwasm.contract import contract_dir
from otelwasm.wit import Interface, parse

__all__ = ["BUMP", "component", "component_of"]

# An allocator that never frees; the guest's own data lies below 64 KiB.
BUMP = """
  (global $top (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
      (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
        (i32.shr_u (local.get 3) (i32.const 16))))) (then unreachable))))
    (local.get $at))
"""


def component(
    core: str,
    world: str = "processor",
    *,
    realloc: str = BUMP,
    pages: int = 4,
    imports: str = "",
) -> bytes:
    """
    A component of a world of the contract; *core* is the inside of its module, *imports* are
    more imports of the component itself.
    """
    shape = shape_of(parse(contract_dir()).world(world))
    return component_of(core, shape, realloc=realloc, pages=pages, imports=imports)


def component_of(
    core: str, shape: Shape, *, realloc: str = BUMP, pages: int = 4, imports: str = ""
) -> bytes:
    """
    A component of any world; of what it may import, it imports what *core* mentions.
    """
    imported = {i.id for i in shape.imported if i.id in core}
    calls = [call for call in shape.imports if call.owner in imported]
    needed = [i for i in shape.offered if i.id in imported or i in shape.needed]
    names = Names((*shape.offered, *shape.wanted))
    out = ["(component", imports]
    for interface in needed:
        out += imported_instance(interface, names, has_functions=interface.id in imported)
    out.append(f'(core module $memory (memory (export "memory") {pages}){realloc})')
    out.append("(core instance $memory (instantiate $memory))")
    out.append('(alias core export $memory "memory" (core memory $m))')
    out.append('(alias core export $memory "cabi_realloc" (core func $realloc))')
    for call in calls:
        assert call.interface is not None
        source = f'{names.interface(call.interface)} "{call.function.name}"'
        out.append(f"(core func $l.{call.label} (canon lower (func {source}) {_OPTIONS}))")
    out += _main(core, shape, calls, imported)
    for interface in shape.exported:
        out += _export(interface, shape, names, core)
    return bytes(wat2wasm("\n".join([*out, ")"])))


_OPTIONS = "(memory $m) (realloc $realloc)"


def _main(core: str, shape: Shape, calls: list[Call], imported: set[str]) -> list[str]:
    out = ['(core module $main (import "env" "memory" (memory 0))', core, ")"]
    out.append('(core instance $main (instantiate $main (with "env" (instance $memory))')
    for interface in shape.imported:
        if interface.id in imported:
            functions = " ".join(
                f'(export "{call.function.name}" (func $l.{call.label}))'
                for call in calls
                if call.owner == interface.id
            )
            out.append(f'(with "{interface.id}" (instance {functions}))')
    return [*out, "))"]


def _export(interface: Interface, shape: Shape, names: Names, core: str) -> list[str]:
    out = []
    for type_ in ordered_types(interface):
        name = names.type(type_)
        out.append(f"(type {name}: {body(type_, names.type)})")
        out.append(f'(export {name} "type-{interface.name}-{type_.name}" (type {name}:))')
    items = [f'(export "{n}" (type {names.type(t)}))' for n, t in exported_types(interface)]
    for call in shape.exports:
        if call.interface == interface:
            function = f"{interface.id}#{call.function.name}"
            options = _OPTIONS
            if f'"cabi_post_{function}"' in core:
                options += f' (post-return (core func $main "cabi_post_{function}"))'
            out.append(
                f"(func $x.{call.label} {signature(call.function, names.type)}"
                f' (canon lift (core func $main "{function}") {options}))'
            )
            items.append(f'(export "{call.function.name}" (func $x.{call.label}))')
    out.append(f"(instance $x.{interface.name} {' '.join(items)})")
    out.append(f'(export "{interface.id}" (instance $x.{interface.name}))')
    return out
