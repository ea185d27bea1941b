"""
A large module leaves a plugin with its exact type, or stays where it is.
"""

import pytest
import wasmtime
from wasmtime import component, wat2wasm

from otelwasm.plugins import hoist as hoist_module
from otelwasm.plugins.binary import MAGIC, UnknownFormError, leb, section
from otelwasm.plugins.hoist import hoist
from otelwasm.plugins.memories import MODULE_MAGIC

LIBRARY = """
(core module $library
  (type $wide (func (param i32 i64 f32 f64 v128 funcref externref) (result f64 i32)))
  (func (export "f") (type $wide) f64.const 1 i32.const 2)
  (table (export "t") 2 5 funcref)
  (memory (export "m") 1 9)
  (global (export "k") i32 (i32.const -70000))
  (global (export "g") (mut f32) (f32.const 7)))
"""
USER = """
(core module $user
  (import "library" "f" (func $f (param i32 i64 f32 f64 v128 funcref externref) (result f64 i32)))
  (import "library" "t" (table $t 1 funcref))
  (import "library" "m" (memory $m 1 10))
  (import "library" "k" (global $k i32))
  (import "library" "g" (global $g (mut f32)))
  (func $own (export "own") (result i64) i64.const 5)
  (table $both 1 externref)
  (global $computed i32 (i32.mul (i32.add (global.get $k) (i32.const 5)) (i32.const -3)))
  (global i64 (i64.sub (i64.const -9000000000) (i64.const 2)))
  (global f64 (f64.const 0.5))
  (global (mut funcref) (ref.func $own))
  (global $last externref (ref.null extern))
  (export "f" (func $f)) (export "t" (table $t)) (export "both" (table $both))
  (export "m" (memory $m)) (export "g" (global $g)) (export "c" (global $computed))
  (export "last" (global $last)))
"""
INSTANCES = """
(core instance $l (instantiate $library))
(core instance $u (instantiate $user (with "library" (instance $l))))
(alias core export $u "both" (core table $both))
"""
GUEST = bytes(wat2wasm(f"(component {LIBRARY} {USER} {INSTANCES})"))


@pytest.fixture(autouse=True)
def all_modules_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hoist_module, "_WORTH_SHARING_BYTES", 0)


def test_a_hoisted_module_fits_its_place() -> None:
    """
    A component around what is left, given the modules, can be instantiated: all that they import
    and export is as it was.
    """
    hoisted = hoist(GUEST)
    inner = b"\x04" + leb(len(hoisted.guest)) + hoisted.guest
    outer = MAGIC + b"".join(hoisted.imports) + inner + section(5, [b"\x00\x00\x00"])
    engine = wasmtime.Engine()
    linker = component.Linker(engine)
    with linker.root() as root:
        for name, module in hoisted.modules.items():
            root.add_module(name, wasmtime.Module(engine, module))

    assert 2 == len(hoisted.modules)
    assert 0 == hoisted.guest.count(MODULE_MAGIC)
    linker.instantiate(wasmtime.Store(engine), component.Component(engine, outer))


def test_exports_that_nothing_names_are_not_asked_for() -> None:
    """
    An import asks for those exports alone that something in the plugin takes.
    """
    types, _ = hoist(GUEST).imports

    assert [True, True, False, False] == [
        b"\x03" + leb(len(each)) + each in types for each in (b"f", b"both", b"own", b"last")
    ]


@pytest.mark.parametrize(
    "fields",
    [
        '(tag (export "thrown") (param i32))',
        '(memory (export "m") i64 1)',
        "(type (struct (field i32)))",
        "(global i32 (i32.const 1)) (rec (type (func)) (type (func)))",
    ],
)
def test_what_is_not_known_stays(fields: str) -> None:
    """
    A module that has more than the type of a module says here is compiled in its place.
    """
    guest = bytes(wat2wasm(f"(component (core module {fields}))"))

    assert (guest, {}) == (hoist(guest).guest, hoist(guest).modules)


def test_a_small_module_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is compiled at once needs no file of its own.
    """
    monkeypatch.setattr(hoist_module, "_WORTH_SHARING_BYTES", 1 << 20)

    assert (GUEST, {}) == (hoist(GUEST).guest, hoist(GUEST).modules)


def test_damage_is_no_accident() -> None:
    """
    A component with any byte wrong is left as it is, taken apart, or called unknown.
    """
    for place in range(len(MAGIC), len(GUEST)):
        for wrong in (0, 1, 0x7F, 0xFF):
            damaged = GUEST[:place] + bytes((wrong,)) + GUEST[place + 1 :]
            try:
                hoisted = hoist(damaged)
            except UnknownFormError:
                continue

            assert all(module in damaged for module in hoisted.modules.values())
