"""
Components show what the reference implementation, wit-component, reads in those it is tested with.
"""

from pathlib import Path

import pytest
import wasmtime

from otelwasm.wit import Interface, Port, Use, World, parse, parse_text, read_component
from otelwasm.wit.binary_package import read_package
from otelwasm.wit.check import check
from otelwasm.wit.fitting import SEMVER
from otelwasm.wit.lexer import Source
from otelwasm.wit.parser import parse_file
from otelwasm.wit.resolve import resolve
from otelwasm.wit.syntax import PackageNode
from otelwasm.wit.types import Function
from otelwasm.wit.writer import surface_text
from unit.wit.outlines import (
    Outline,
    outline_of_interface,
    outline_of_model,
    outline_of_types,
    signature,
    without_docs,
)
from unit.wit.upstream import upstream_tests

TESTS = upstream_tests("wit-component")
COMPONENTS = sorted((TESTS / "components").glob("*/component.wat"))
INTERFACES = sorted(
    [*(TESTS / "interfaces").glob("*.wit"), *(TESTS / "interfaces").glob("*/*.wit.print")]
)
PACKAGES = sorted(
    path for path in (TESTS / "interfaces").glob("*.wat") if path.name != "single-named-result.wat"
)
TARGETS = sorted(path.parent for path in (TESTS / "targets").glob("*/test.wat"))

# Written in a text form that wasmtime's assembler does not know yet.
NOT_ASSEMBLED = {"canonical-names"}

# These import less of an interface than there is in the files beside them.
PARTIAL = {
    "adapt-preview1",
    "async-import-only-intrinsic",
    "async-import-tricky",
    "import-in-adapter-and-main-module",
    "import-partial-export-full",
    "merge-import-versions-with-adapter",
    "rename-interface",
}

# Upstream takes plain comments as documentation, and keeps the indent within block comments.
WITH_OTHER_DOCS = {"doc-comments/foo.wit.print", "maps.wit"}

REFUSED = {
    "error-missing-export": ["missing"],
    "error-missing-import": ["extra", "missing"],
    "error-semver-import-mismatch": ["extra"],
}


def name_of(path: Path) -> str:
    """
    What a test is called.
    """
    return path.parent.name if path.name == "component.wat" else path.name


def place_of(path: Path) -> str:
    """
    Where a file is among the tests of interfaces.
    """
    return path.relative_to(TESTS / "interfaces").as_posix()


def read(path: Path) -> PackageNode:
    """
    One file as it is written.
    """
    return parse_file(Source(str(path), path.read_text()))


def deps(folder: Path) -> list[list[PackageNode]]:
    """
    The packages in a folder's `deps/`.
    """
    found = sorted(folder.glob("deps/*"))
    return [[read(path)] if path.is_file() else [*map(read, path.glob("*.wit"))] for path in found]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            marks=pytest.mark.xfail(raises=wasmtime.WasmtimeError)
            if name_of(path) in NOT_ASSEMBLED
            else (),
        )
        for path in COMPONENTS
    ],
    ids=name_of,
)
def test_components_show_what_upstream_prints(path: Path) -> None:
    """
    Imports and exports have the names, types and functions that upstream decodes.
    """
    data = bytes(wasmtime.wat2wasm(path.read_text()))
    surface = read_component(data)
    beside = [read(file) for file in path.parent.glob("*.wit")]
    text = read(path.with_name("component.wit.print"))
    package = resolve([[text], *([beside] if beside else []), *deps(path.parent)])[0]
    world = package.world("root")

    imports, exports = outline_of_ports(surface.imports), outline_of_ports(surface.exports)
    expected = imports_of(world)
    if path.parent.name in PARTIAL:
        whole, expected = expected, {name: expected[name] for name in imports}
        assert whole != expected

    assert expected == imports
    assert exports_of(world) == exports
    assert world is check(data, package).world


@pytest.mark.parametrize(
    "path", [path for path in COMPONENTS if name_of(path) not in NOT_ASSEMBLED], ids=name_of
)
def test_a_component_is_what_its_text_says(path: Path) -> None:
    """
    The WIT that is written of a component has the same imports and exports when it is read.
    """
    surface = read_component(bytes(wasmtime.wat2wasm(path.read_text())))
    world = parse_text(surface_text(surface)).world("root")
    imports = outline_of_ports(surface.imports)
    if path.parent.name == "import-partial-export-full":  # one interface, whole on one side only
        imports["a:b/name type name2"] = "variant {num(u16), strs(list<string>)}"

    assert imports == imports_of(world)
    assert outline_of_ports(surface.exports) == exports_of(world)


@pytest.mark.parametrize("path", INTERFACES, ids=place_of)
def test_text_and_what_upstream_prints_of_it_mean_the_same(path: Path) -> None:
    """
    A file or folder, and its package as upstream's printer writes it, are read alike.
    """
    text = path.with_suffix(".wit.print") if path.suffix == ".wit" else path
    written = parse(path if path.suffix == ".wit" else path.parent).main
    found = resolve([[read(text)], *([] if text != path else deps(path.parent))])[0]

    expected, actual = outline_of_model([written]), outline_of_model([found])
    if place_of(path) in WITH_OTHER_DOCS:
        assert expected != actual
        expected, actual = without_docs(expected), without_docs(actual)
    assert expected == actual


@pytest.mark.parametrize("path", PACKAGES, ids=place_of)
def test_binary_packages_say_what_their_text_says(path: Path) -> None:
    """
    A package that upstream made binary is the one that it was made from, docs included.
    """
    source = (
        path.with_suffix(".wit") if path.with_suffix(".wit").is_file() else path.with_suffix("")
    )
    packages = read_package(bytes(wasmtime.wat2wasm(path.read_text())))
    assert packages is not None
    expected, actual = outline_of_model([parse(source).main]), outline_of_model(packages[:1])

    if path.name in ("doc-comments.wat", "maps.wat"):
        assert expected != actual
        expected, actual = without_docs(expected), without_docs(actual)
    assert expected == actual


@pytest.mark.parametrize("folder", TARGETS, ids=lambda path: path.name)
def test_components_fit_the_worlds_that_upstream_says(folder: Path) -> None:
    """
    What upstream lets stand in for a world by semver fits, and what it refuses does not.
    """
    data = bytes(wasmtime.wat2wasm((folder / "test.wat").read_text()))
    report = check(data, parse(folder / "test.wit").main, ["foobar"], fitting=SEMVER)
    refused = [problem.kind for problem in report.problems]

    assert folder.name.startswith("error-") == (report.world is None)
    assert REFUSED.get(folder.name, []) == refused


def imports_of(world: World) -> Outline:
    """
    The outline of all that a world imports, named or implied.
    """
    lines = outline_of_types(world.types, world.uses)
    for interface in world.implied:
        lines |= outline_of_interface(interface.id, interface)
    for extern in world.imports:
        lines |= outline_of_item(extern.name, extern.item)
    return at_the_root(lines)


def exports_of(world: World) -> Outline:
    """
    The outline of all that a world exports.
    """
    lines: Outline = {}
    for extern in world.exports:
        lines |= outline_of_item(extern.name, extern.item)
    return at_the_root(lines)


def outline_of_ports(ports: tuple[Port, ...]) -> Outline:
    """
    The outline of what a component imports or exports.
    """
    lines: Outline = {}
    for port in ports:
        if isinstance(port.item, Interface | Function):
            lines |= outline_of_item(port.name, port.item)
        elif port.item is not None and port.item.owner:
            lines |= outline_of_types([], [Use(port.name, port.item)])
        elif port.item is not None:
            lines |= outline_of_types([port.item], [])
    return at_the_root(lines)


def outline_of_item(name: str, item: Interface | Function) -> Outline:
    """
    The outline of one import or export.
    """
    if isinstance(item, Interface):
        return outline_of_interface(name, item)
    return {f"func {name}": signature(item)}


def at_the_root(outline: Outline) -> Outline:
    """
    The same, without docs, and with types of the world itself as those of the component.
    """
    return {
        key: text.replace("root:component/root#", "#")
        for key, text in without_docs(outline).items()
    }
