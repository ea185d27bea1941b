"""
A component is told which world it fits, whose it is, and what it asks for; nothing of it runs.
"""

import json
from pathlib import Path

import pytest
import wasmtime

import otelwasm
from otelwasm.contract import contract_dir
from otelwasm.errors import ComponentError, WitError
from otelwasm.validation import validate
from otelwasm.wit import parse, parse_text
from unit.wit.component_text import component, component_text

PLUGIN_WIT = (contract_dir() / "plugin.wit").read_text()
CONTRACT = parse(contract_dir())

LAMP = """
package home:lamp@1.1.0;
interface switch { turn: func(on: bool); }
interface bulb { glow: func(percent: u8) -> result<_, string>; }
world lamp { import bulb; export switch; }
world strip { export switch; export bulb; }
"""


def made_for(old: str, new: str, *, world: str = "processor") -> bytes:
    """
    A component made for the contract with *old* replaced by *new*.
    """
    altered = PLUGIN_WIT.replace(old, new)
    assert altered != PLUGIN_WIT
    return component(parse_text(altered).world(world))


@pytest.mark.parametrize("kind", ["processor", "exporter", "receiver"])
@pytest.mark.parametrize("form", ["", "python-"])
def test_a_plugin_is_told_its_kind(kind: str, form: str) -> None:
    """
    A component of any of the contract's worlds fits, as what it is for; so it does when asked.
    """
    data = component(CONTRACT.world(f"{form}{kind}"))
    found = validate(data)

    assert (True, kind) == (found.fits, found.kind)
    assert validate(data, world=kind).fits
    assert f"fits world {form}{kind} of otelwasm:plugin@0.1.0" == str(found)


def test_what_it_asks_for_is_listed() -> None:
    """
    Capabilities, those that a configuration must grant, and WASI are named; types are none.
    """
    text = component_text(CONTRACT.world("python-receiver")).removesuffix(")")
    wasi = '(import "wasi:cli/environment@0.2.9" (instance (export "f" (func)))))'
    found = validate(bytes(wasmtime.wat2wasm(f"{text} {wasi}")))

    assert ("http", "log", "meter", "pipeline", "state") == found.capabilities
    assert ("http", "state") == found.granted
    assert ("wasi:cli/environment@0.2.9",) == found.wasi


def test_another_world_is_said_as_such() -> None:
    """
    An exporter in a processor's place is told that it is one.
    """
    found = validate(component(CONTRACT.world("exporter")), world="processor")

    assert (False, None) == (found.fits, found.kind)
    assert "exports otelwasm:plugin/exporting@0.1.0: an exporter, not a processor" == str(found)


def test_differences_reach_down_to_the_field() -> None:
    """
    What differs is said with its way down, and shown.
    """
    found = validate(made_for("after-ms: option<u32>", "after-ms: option<u64>"))

    assert not found.fits
    assert all(
        problem.text.endswith("its value is u64, the contract says u32")
        for problem in found.report.problems
    )
    assert found.report.problems[0].diff == (
        "  record retry {",
        "    reason: string,",
        "-   after-ms: option<u32>,",
        "+   after-ms: option<u64>,",
        "                     ^^^",
        "  }",
    )


@pytest.mark.parametrize(
    ("version", "advice"), [("0.0.9", "older than this host"), ("0.2.0", "newer than this host")]
)
def test_another_version_of_the_contract_is_said_as_such(version: str, advice: str) -> None:
    """
    This host takes its own version alone; which side has to move is said.
    """
    found = validate(made_for("plugin@0.1.0", f"plugin@{version}"))

    assert str(found).startswith(f"made for otelwasm:plugin@{version}; this host speaks 0.1.0: it")
    assert advice in str(found)


def test_any_world_can_be_checked_against(tmp_path: Path) -> None:
    """
    The user's own WIT takes the contract's place, and compatible versions stand in for others.
    """
    wit = tmp_path / "lamp.wit"
    wit.write_text(LAMP)
    lamp = component(parse_text(LAMP.replace("1.1.0", "1.0.0")).world("lamp"))

    assert validate(lamp, wit=wit, world="lamp").fits
    assert validate(lamp, wit=wit, world="home:lamp/lamp@1.1.0").fits
    assert "lamp" == getattr(validate(lamp, wit=wit).report.world, "name", None)
    assert None is validate(lamp, wit=wit).kind
    assert [
        "import home:lamp/bulb@1.0.0 is not offered to a strip",
        "export home:lamp/bulb@1.1.0 is missing",
    ] == [problem.text for problem in validate(lamp, wit=wit, world="strip").report.problems]


def test_wasi_is_offered_beside_a_world_unless_it_is_not_to_be(tmp_path: Path) -> None:
    """
    This host gives WASI to plugins of any world; another host may give what the world says alone.
    """
    wit = tmp_path / "lamp.wit"
    wit.write_text(LAMP)
    text = component_text(parse_text(LAMP).world("lamp")).removesuffix(")")
    wasi = '(import "wasi:cli/environment@0.2.9" (instance (export "f" (func)))))'
    data = bytes(wasmtime.wat2wasm(f"{text} {wasi}"))

    assert validate(data, wit=wit).fits
    assert "import wasi:cli/environment@0.2.9 is not offered to a lamp" == str(
        validate(data, wit=wit, world="lamp", has_wasi=False)
    )


def test_a_world_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """
    An unknown world, and WIT without any, are refused with what there is.
    """
    wit = tmp_path / "lamp.wit"
    wit.write_text(LAMP)
    data = component(CONTRACT.world("exporter"))

    with pytest.raises(WitError, match=r"lamp\.wit: no world 'lmap'; did you mean `lamp`\?"):
        validate(data, wit=wit, world="lmap")
    with pytest.raises(WitError, match="no world 'x'; worlds: lamp, strip"):
        validate(data, wit=wit, world="x")
    wit.write_text("package a:b; interface i {}")
    with pytest.raises(WitError, match="package a:b has no world"):
        validate(data, wit=wit)


@pytest.mark.parametrize("source", ["redact", "redact/plugin.py"])
def test_a_source_is_to_be_built_first(tmp_path: Path, source: str) -> None:
    """
    Where a plugin's source is given, the message has the command that makes a component of it.
    """
    (tmp_path / "redact").mkdir()
    (tmp_path / "redact/plugin.py").touch()

    with pytest.raises(ComponentError, match=f"`otelwasm build {tmp_path}/{source}` makes one"):
        validate(tmp_path / source)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b"print('hello')", "not WebAssembly"),
        (b"(component)", "WebAssembly in text form"),
        (bytes(wasmtime.wat2wasm("(module)")), "a core module, not a component"),
        (component(CONTRACT.world("exporter"))[:400], "cut short"),
    ],
)
def test_what_is_no_component_is_an_error(tmp_path: Path, data: bytes, reason: str) -> None:
    """
    Other files, and damaged ones, raise with the file's name and the reason.
    """
    path = tmp_path / "x.wasm"
    path.write_bytes(data)

    with pytest.raises(ComponentError, match=rf"x\.wasm: .*{reason}"):
        validate(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    """
    What cannot be read is named with the reason.
    """
    with pytest.raises(ComponentError, match=r"gone\.wasm: No such file"):
        validate(tmp_path / "gone.wasm")
    with pytest.raises(ComponentError, match="no component; `otelwasm build"):
        validate(tmp_path)


def test_it_is_public_and_plain_json() -> None:
    """
    `otelwasm.validate` is this; its result has a form for JSON.
    """
    found = otelwasm.validate(component(CONTRACT.world("exporter")))
    shown = json.loads(json.dumps(found.as_json()))

    assert ("otelwasm:plugin/exporter@0.1.0", "exporter") == (shown["world"], shown["kind"])
    assert ([], []) == (shown["problems"], shown["extras"])
