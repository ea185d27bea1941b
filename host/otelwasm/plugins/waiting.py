"""
Keep a plugin from waiting beyond its deadline.

While a plugin waits in WASI (`time.sleep`, or a poll that nothing ends) it runs no code of its
own, so the epoch clock cannot end it, and WASI itself waits without a limit. So the functions of
`wasi:io/poll` that wait are replaced, while composing, by a small component that asks `ready` and
lets the host nap in between; the host ends the nap that crosses the deadline.
"""

from wasmtime import wat2wasm

from otelwasm.plugins.binary import Reader, UnknownFormError, leb, name

__all__ = ["POLL", "shim", "with_ready"]

POLL = "wasi:io/poll@"

_READY = "[method]pollable.ready"
_BOOL = b"\x7f"
_SHIM = """\
(component
  (import "host" (instance $host (export "nap" (func))))
  (import "{id}" (instance $wasi
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))))
  (alias export $wasi "pollable" (type $pollable))
  (core module $memory
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (global.get $top))
      (global.set $top (i32.add (local.get $at)
        (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))
      (loop $more (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
        (then (if (i32.eq (i32.const -1) (memory.grow (i32.const 1))) (then unreachable))
          (br $more))))
      (local.get $at))
    (func (export "free") (param i32) (global.set $top (i32.const 1024))))
  (core instance $memory (instantiate $memory))
  (core func $ready (canon lower (func $wasi "[method]pollable.ready")))
  (core func $drop (canon resource.drop $pollable))
  (core func $nap (canon lower (func $host "nap")))
  (core module $waiting
    (import "memory" "memory" (memory 1))
    (import "memory" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "wasi" "ready" (func $ready (param i32) (result i32)))
    (import "wasi" "drop" (func $drop (param i32)))
    (import "wasi" "nap" (func $nap))
    (func (export "ready") (param $self i32) (result i32) (local $is i32)
      (local.set $is (call $ready (local.get $self)))
      (call $drop (local.get $self))
      (local.get $is))
    (func (export "block") (param $self i32)
      (block $done (loop $again
        (br_if $done (call $ready (local.get $self)))
        (call $nap)
        (br $again)))
      (call $drop (local.get $self)))
    (func (export "poll") (param $at i32) (param $count i32) (result i32)
      (local $out i32) (local $found i32) (local $k i32)
      (if (i32.eqz (local.get $count)) (then unreachable))
      (local.set $out (call $realloc (i32.const 0) (i32.const 0) (i32.const 4)
        (i32.shl (local.get $count) (i32.const 2))))
      (loop $again
        (local.set $k (i32.const 0))
        (loop $each
          (if (call $ready (i32.load (i32.add (local.get $at)
              (i32.shl (local.get $k) (i32.const 2)))))
            (then
              (i32.store (i32.add (local.get $out) (i32.shl (local.get $found) (i32.const 2)))
                (local.get $k))
              (local.set $found (i32.add (local.get $found) (i32.const 1)))))
          (br_if $each (i32.lt_u
            (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $count))))
        (if (i32.eqz (local.get $found)) (then (call $nap) (br $again))))
      (local.set $k (i32.const 0))
      (loop $each
        (call $drop (i32.load (i32.add (local.get $at) (i32.shl (local.get $k) (i32.const 2)))))
        (br_if $each (i32.lt_u
          (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $count))))
      (i32.store (i32.const 16) (local.get $out))
      (i32.store (i32.const 20) (local.get $found))
      (i32.const 16)))
  (core instance $waiting (instantiate $waiting
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "ready" (func $ready)) (export "drop" (func $drop)) (export "nap" (func $nap))))))
  (func $ready (param "self" (borrow $pollable)) (result bool)
    (canon lift (core func $waiting "ready")))
  (func $block (param "self" (borrow $pollable)) (canon lift (core func $waiting "block")))
  (func $poll (param "in" (list (borrow $pollable))) (result (list u32))
    (canon lift (core func $waiting "poll")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
      (post-return (core func $memory "free"))))
  (component $face
    (import "pollable" (type $pollable (sub resource)))
    (import "ready" (func $ready (param "self" (borrow $pollable)) (result bool)))
    (import "block" (func $block (param "self" (borrow $pollable))))
    (import "poll" (func $poll (param "in" (list (borrow $pollable))) (result (list u32))))
    (export $named "pollable" (type $pollable))
    (export "[method]pollable.ready" (func $ready)
      (func (param "self" (borrow $named)) (result bool)))
    (export "[method]pollable.block" (func $block) (func (param "self" (borrow $named))))
    (export "poll" (func $poll)
      (func (param "in" (list (borrow $named))) (result (list u32)))))
  (instance $face (instantiate $face
    (with "pollable" (type $pollable)) (with "ready" (func $ready))
    (with "block" (func $block)) (with "poll" (func $poll))))
  (export "{id}" (instance $face)))
"""


def shim(id_: str) -> bytes:
    """
    The component that stands for the interface *id_*, some version of `wasi:io/poll`.
    """
    return bytes(wat2wasm(_SHIM.format(id=id_)))


def with_ready(definition: bytes) -> bytes:
    """
    The type of an instance of `wasi:io/poll` with the function `ready`, added if it is missing.
    """
    reader = Reader(definition, 1)
    count = reader.number()
    first = reader.at
    types = 0
    pollable = None
    for _ in range(count):
        form, exported, sort = reader.declaration()
        if exported == _READY:
            return definition
        if exported == "pollable":
            pollable = types
        types += form in (1, 2) or sort == 3
    if pollable is None:
        raise UnknownFormError("its wasi:io/poll has no pollable")
    borrowed = b"\x01\x68" + leb(pollable)
    parameter = b"\x01" + name("self") + leb(types)
    function = b"\x01\x40" + parameter + b"\x00" + _BOOL
    export = b"\x04\x00" + name(_READY) + b"\x01" + leb(types + 1)
    return b"\x42" + leb(count + 3) + definition[first:] + borrowed + function + export
