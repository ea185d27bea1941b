"""
Write the two bridge components of a world: integers on the host's side, WIT on the plugin's.

A bridge owns a small memory, its *window*, which the host reads and writes in place:

      0  u32  top: the next free byte            ┐ cells that host and
      4  u32  need: pages that the host asks for │ bridge share
      8  u32  hello: calls of `hello`            ┘
     64  the flat arguments of a call, 8 bytes each (16 at most)
    192  its result
    heap_at …  what arguments and result point to, given out upwards, freed all at once

The host's functions, and the bridges' own, take and return nothing.
"""

from otelwasm.bindgen.shape import Shape, ordered_types
from otelwasm.bindgen.wat import (
    Names,
    body,
    core_function,
    exported_types,
    imported_instance,
    labels,
    signature,
)
from otelwasm.plugins.abi import ARGUMENTS_AT, RESULT_AT
from otelwasm.wit import abi

__all__ = ["exports_bridge", "heap_at", "imports_bridge"]

_EXPORTS_MAX_PAGES = 65535
_IMPORTS_MAX_PAGES = 65535

_ALLOCATOR = """\
  (core module $allocator
    (memory (export "memory") 1 {max_pages})
    (func (export "realloc")
      (param $old i32) (param $old_size i32) (param $alignment i32) (param $size i32) (result i32)
      (local $at i32) (local $end i64) (local $have i64)
      (local.set $at (i32.and
        (i32.sub (i32.add (i32.load (i32.const 0)) (local.get $alignment)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $alignment))))
      (local.set $end (i64.add
        (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $size))))
      (local.set $have (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
      (if (i64.gt_u (local.get $end) (local.get $have)) (then
        (if (i32.eq (i32.const -1) (memory.grow (i32.wrap_i64 (i64.shr_u
          (i64.add (i64.sub (local.get $end) (local.get $have)) (i64.const 65535))
          (i64.const 16))))) (then unreachable))))
      (i32.store (i32.const 0) (i32.wrap_i64 (local.get $end)))
      (if (local.get $old_size) (then (memory.copy (local.get $at) (local.get $old)
        (select (local.get $old_size) (local.get $size)
          (i32.lt_u (local.get $old_size) (local.get $size))))))
      (local.get $at))
    (func (export "grow")
      (drop (memory.grow (i32.load (i32.const 4))))
      (i32.store (i32.const 4) (i32.const 0)))
    (func (export "hello")
      (i32.store (i32.const 8) (i32.add (i32.const 1) (i32.load (i32.const 8)))))
    (data (i32.const 0) "{heap}"))
  (core instance $a (instantiate $allocator))"""
_OPTIONS = '(memory (core memory $a "memory")) (realloc (core func $a "realloc"))'


def heap_at(shape: Shape) -> int:
    """
    Where a window's heap begins: after the largest result.
    """
    return (RESULT_AT + shape.largest_result + 63) // 64 * 64


def imports_bridge(shape: Shape, *, is_direct: bool) -> str:
    """
    The component that stands for the host: it exports what the plugin imports.
    """
    names = Names(shape.offered)
    out = ["(component"]
    out.append('  (import "host" (instance $host')
    out += [f'    (export "{label}" (func))' for label in ["fetch", *labels(shape.imports)]]
    out[-1] += "))"
    for interface in shape.offered:
        # Functions may only use types with a name, so each is exported under one.
        for type_ in ordered_types(interface):
            name = names.type(type_)
            out.append(f"  (type {name}: {body(type_, names.type)})")
            export = f"{names.interface(interface).removeprefix('$instance.')}-{type_.name}"
            out.append(f'  (export {name} "type-{_kebab(export)}" (type {name}:))')
    out.append(_allocator(shape, _IMPORTS_MAX_PAGES))
    out += _answering_shim(shape)
    for call in shape.imports:
        lifted = abi.core_signature(call.function, "lift")
        done = lifted.results[0] if lifted.results else ""
        is_split = is_direct and call.interface is not None
        form = signature(call.function, names.type, is_direct=is_split)
        out.append(
            f"  (func ${call.label} {form}\n"
            f'    (canon lift (core func $s "{call.label}") {_OPTIONS}\n'
            f'      (post-return (core func $s "done{done}"))))'
        )
    for interface in shape.offered:
        calls = [call for call in shape.imports if call.interface == interface]
        items = [f'(export "{n}" (type {names.type(t)}))' for n, t in exported_types(interface)]
        items += [f'(export "{call.function.name}" (func ${call.label}))' for call in calls]
        name = names.interface(interface)
        out.append(f"  (instance {name}\n    " + "\n    ".join([*items]) + ")")
        out.append(f'  (export "{interface.id}" (instance {name}))')
    for call in shape.imports:
        if call.interface is None:
            out.append(f'  (export "{call.function.name}" (func ${call.label}))')
    out.append('  (func (export "hello") (canon lift (core func $a "hello"))))')
    return "\n".join(out) + "\n"


def _answering_shim(shape: Shape) -> list[str]:
    """
    The core module that puts flat arguments into the window, asks the host, and answers.
    """
    out = ['  (core module $shim (import "a" "memory" (memory 1))']
    out.append('    (import "a" "grow" (func $grow)) (import "h" "fetch" (func $fetch))')
    out += [f'    (import "h" "{label}" (func $h.{label}))' for label in labels(shape.imports)]
    # An answer that does not fit: the host has said how many pages it needs.
    out.append("    (func $answered (loop $again (if (i32.load (i32.const 4))")
    out.append("      (then (call $grow) (call $fetch) (br $again)))))")
    endings = {}
    for call in shape.imports:
        core = abi.core_signature(call.function, "lift")
        endings["".join(core.results)] = core_function(core.results, ())
        out.append(f'    (func (export "{call.label}") {core_function(core.params, core.results)}')
        for place, type_ in enumerate(core.params):
            slot = ARGUMENTS_AT + 8 * place
            out.append(f"      ({type_}.store (i32.const {slot}) (local.get {place}))")
        out.append(f"      (call $h.{call.label})")
        if core.results:
            out.append("      (call $answered)")
        if core.result_in_memory:
            out.append(f"      (i32.const {RESULT_AT})")
        elif core.results:
            out.append(f"      ({core.results[0]}.load (i32.const {RESULT_AT}))")
        out[-1] += ")"
    for suffix, params in endings.items():
        top = f"(i32.store (i32.const 0) (i32.const {heap_at(shape)}))"
        out.append(f'    (func (export "done{suffix}") {params} {top})')
    out[-1] += ")"
    imported = ["fetch", *labels(shape.imports)]
    out += [f'  (core func $l.{n} (canon lower (func $host "{n}")))' for n in imported]
    out.append('  (core instance $s (instantiate $shim (with "a" (instance $a))')
    out.append('    (with "h" (instance')
    out += [f'      (export "{label}" (func $l.{label}))' for label in imported]
    out[-1] += "))))"
    return out


def exports_bridge(shape: Shape) -> str:
    """
    The component that stands before the plugin: it imports what the plugin exports.
    """
    names = Names(shape.wanted)
    exported = {interface.id for interface in shape.exported}
    out = ["(component"]
    for interface in shape.wanted:
        out += imported_instance(interface, names, has_functions=interface.id in exported)
    for call in shape.exports:
        if call.interface is None:
            form = signature(call.function, names.type)
            out.append(f'  (import "{call.function.name}" (func $g.{call.label} {form}))')
    out.append(_allocator(shape, _EXPORTS_MAX_PAGES))
    for call in shape.exports:
        source = f"$g.{call.label}"
        if call.interface is not None:
            source = f'{names.interface(call.interface)} "{call.function.name}"'
        out.append(f"  (core func $l.{call.label} (canon lower (func {source}) {_OPTIONS}))")
    out += _calling_shim(shape)
    for label in labels(shape.exports):
        out.append(f'  (func (export "{label}") (canon lift (core func $s "{label}")))')
    for label in ("hello", "grow"):
        out.append(f'  (func (export "{label}") (canon lift (core func $a "{label}")))')
    return "\n".join(out) + ")\n"


def _calling_shim(shape: Shape) -> list[str]:
    """
    The core module that takes flat arguments from the window and leaves the result there.
    """
    out = ['  (core module $shim (import "a" "memory" (memory 1))']
    cores = [(call, abi.core_signature(call.function, "lower")) for call in shape.exports]
    for call, core in cores:
        form = core_function(core.params, core.results)
        out.append(f'    (import "g" "{call.label}" (func $g.{call.label} {form}))')
    for call, core in cores:
        values = [
            f"({type_}.load (i32.const {ARGUMENTS_AT + 8 * place}))"
            for place, type_ in enumerate(core.params)
        ]
        if core.result_in_memory:
            values[-1] = f"(i32.const {RESULT_AT})"
        text = f"(call $g.{call.label} {' '.join(values)})"
        if core.results:
            text = f"({core.results[0]}.store (i32.const {RESULT_AT}) {text})"
        out.append(f'    (func (export "{call.label}")\n      {text})')
    out[-1] += ")"
    out.append('  (core instance $s (instantiate $shim (with "a" (instance $a))')
    out.append('    (with "g" (instance')
    out += [f'      (export "{label}" (func $l.{label}))' for label in labels(shape.exports)]
    out[-1] += "))))"
    return out


def _allocator(shape: Shape, max_pages: int) -> str:
    heap = "".join(f"\\{byte:02x}" for byte in heap_at(shape).to_bytes(4, "little"))
    return _ALLOCATOR.format(max_pages=max_pages, heap=heap)


def _kebab(name: str) -> str:
    return name.replace("'", "x").replace(".", "-")
