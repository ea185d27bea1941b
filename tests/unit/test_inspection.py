"""
A component shows what it is made of: modules, sections, memory, language and tools.
"""

import hashlib
import json

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

import otelwasm
from otelwasm.anatomy import Memory, Producer, take_apart
from otelwasm.contract import contract_dir
from otelwasm.errors import ComponentError
from otelwasm.inspection import inspect
from otelwasm.wit import parse
from unit.wit.component_text import component_text

CONTRACT = parse(contract_dir())
MODULES = """
(core module $main
  (memory (export "memory") 3 16)
  (func (export "f"))
  (data (i32.const 0) "0123456789")
  (@producers (language "Rust" "2024") (processed-by "rustc" "1.90.0 (abc 2026-01-01)")))
(core module $adapter (memory i64 1) (@producers (language "C" "")))
(component (core module (func) (func)))
(@producers (processed-by "wit-component" "0.245.1"))
"""
CODE = f"(func {'(drop (i32.const 77777))' * 100})"


def a_component(*, parts: str = MODULES, world: str = "exporter") -> bytes:
    """
    A component of the contract with core modules in it.
    """
    text = component_text(CONTRACT.world(world)).removesuffix(")")
    return bytes(wasmtime.wat2wasm(f"{text} {parts})"))


def test_modules_are_found_with_names_and_sizes() -> None:
    """
    Core modules, nested ones last, have their names, their sections' sizes and memories.
    """
    anatomy = take_apart(a_component())
    main, adapter, inner = anatomy.modules

    assert ["main", "adapter", ""] == [module.name for module in anatomy.modules]
    assert (Memory(3 << 16, 16 << 16),) == main.memories
    assert (Memory(1 << 16),) == adapter.memories
    assert {"data", "code", "memories", "exports", "producers"} <= main.sections.keys()
    assert {"types", "functions", "code"} == inner.sections.keys()
    assert sum(main.sections.values()) < main.size_bytes < sum(main.sections.values()) + 60
    assert Producer("language", "Rust", "2024") in main.producers


def test_sizes_add_up() -> None:
    """
    The modules and what the component is beside them are the whole file.
    """
    data = a_component()
    anatomy = take_apart(data)

    assert len(data) == anatomy.own_bytes + sum(module.size_bytes for module in anatomy.modules)
    assert list(anatomy.sections().values()) == sorted(anatomy.sections().values(), reverse=True)


def test_language_and_tools_are_those_of_the_largest_module() -> None:
    """
    What is said of the component as a whole comes first, then the module that is its code.
    """
    found = inspect(a_component())

    assert "Rust 2024" == found.language
    assert ("wit-component 0.245.1", "rustc 1.90.0") == found.tools


def test_languages_are_known_by_their_interpreters() -> None:
    """
    A component with CPython or a JavaScript engine in it is in that language, not in the engine's.
    """
    python = a_component(parts=f"{MODULES} (core module $libpython3.14.so {CODE})")
    tool = '(@producers (processed-by "ComponentizeJS" "0.23.0"))'

    assert "Python 3.14" == inspect(python).language
    assert "JavaScript" == inspect(a_component(parts=f"{MODULES} {tool}")).language


def test_rust_is_known_by_its_bindings() -> None:
    """
    Where what the compiler says was stripped, bindings that only Rust has tell the language.
    """
    tools = (
        '(@producers (processed-by "wit-component" "0.9") (processed-by "wit-bindgen-rust" "1"))'
    )
    found = inspect(a_component(parts=f"(core module {CODE} {tools})"))

    assert "Rust" == found.language
    assert ("wit-component 0.9", "wit-bindgen-rust 1") == found.tools


def test_an_adapter_does_not_speak_for_the_rest() -> None:
    """
    Where the bulk of the code says nothing of its language, a small part of it does not either.
    """
    assert inspect(a_component(parts=f"{MODULES} (core module {CODE})")).language is None


def test_a_component_may_say_nothing_of_itself() -> None:
    """
    Without a producers section there is neither a language nor a tool.
    """
    found = inspect(a_component(parts="(core module)"))

    assert (None, (), ()) == (found.language, found.tools, found.memories)


def test_world_and_content_are_told() -> None:
    """
    The world comes from the same check as `validate`'s, the hash from all bytes.
    """
    data = a_component(world="receiver")
    found = otelwasm.inspect(data)

    assert "receiver" == found.validation.kind
    assert (len(data), hashlib.sha256(data).hexdigest()) == (found.size_bytes, found.sha256)


def test_strangers_are_inspected_as_well() -> None:
    """
    A component that fits no world of ours still shows what it is.
    """
    found = inspect(bytes(wasmtime.wat2wasm("(component (core module (memory 2)))")))

    assert not found.validation.fits
    assert (Memory(2 << 16),) == found.memories


def test_all_of_it_has_a_form_for_json() -> None:
    """
    Exports come with their functions; everything survives a round trip.
    """
    found = inspect(a_component()).as_json()

    assert found == json.loads(json.dumps(found))
    assert ["send"] == found["exports"]["otelwasm:plugin/exporting@0.1.0"]
    assert {"minimum_bytes": 3 << 16, "maximum_bytes": 16 << 16} in found["memories"]


def test_damaged_modules_are_refused() -> None:
    """
    A component whose core module is cut or is none raises, with the place.
    """
    data = a_component()
    module = data.index(b"\0asm\1\0\0\0")

    with pytest.raises(ComponentError, match="no core module at byte"):
        take_apart(data[: module + 4] + b"\2" + data[module + 5 :])
    with pytest.raises(ComponentError, match=r"cut short|ends too early"):
        take_apart(data[: module + 20])


def test_pages_may_be_single_bytes() -> None:
    """
    A memory's pages are 64 KiB or 1 byte; other sizes are damage.
    """
    section = bytes.fromhex("0505 01 09 07 0a 00")
    data = bytes.fromhex("0061736d0d000100 010f 0061736d01000000") + section

    assert (Memory(7, 10),) == take_apart(data).modules[0].memories
    with pytest.raises(ComponentError, match=r"pages of 2\^5 bytes"):
        take_apart(data[:-1] + b"\5")


WHOLE = a_component()


@given(st.binary(max_size=40), st.integers(8, len(WHOLE)), st.integers(0, 20))
def test_damaged_components_are_inspected_or_refused(noise: bytes, at: int, cut: int) -> None:
    """
    Whatever stands in the bytes, the end is a result that has a form for JSON, or one error.
    """
    try:
        found = inspect(WHOLE[:at] + noise + WHOLE[at + cut :])
    except ComponentError as error:
        assert "\n" not in str(error)
    else:
        assert json.dumps(found.as_json())
