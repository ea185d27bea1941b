"""
Packages are read from files and folders, with what their `deps/` hold.
"""

import json
from pathlib import Path

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.errors import WitError
from otelwasm.wit import parse
from otelwasm.wit.types import Stability


def write(folder: Path, files: dict[str, str]) -> Path:
    """
    Write *files* under *folder*.
    """
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_folder_is_one_package(tmp_path: Path) -> None:
    """
    Files of one folder see each other; one of them names the package and documents it.
    """
    folder = write(
        tmp_path,
        {
            "a.wit": "/// The package.\npackage a:b@0.1.0;\ninterface i { use j.{t}; }",
            "b.wit": "interface j { type t = u8; }",
            "notes.txt": "not WIT",
        },
    )
    package = parse(folder).main

    assert "The package." == package.docs
    assert ["i", "j"] == [interface.name for interface in package.interfaces]


def test_deps_hold_other_packages(tmp_path: Path) -> None:
    """
    A folder or a file in `deps/` is a package that the others may use, by version.
    """
    folder = write(
        tmp_path,
        {
            "a.wit": "package a:b; interface i { use c:d/e@1.0.0.{t}; use f:g/h.{u}; }",
            "deps/cd/x.wit": "package c:d@1.0.0; interface e { use f:g/h.{u}; type t = u; }",
            "deps/fg.wit": "package f:g; interface h { type u = u8; }",
        },
    )
    packages = parse(folder)

    assert ["c:d@1.0.0", "f:g"] == [str(package.name) for package in packages.others]
    assert "f:g/h" == packages.interface("c:d/e@1.0.0").uses[0].type.owner


def test_one_file_is_a_package(tmp_path: Path) -> None:
    """
    A file may be given instead of a folder.
    """
    folder = write(tmp_path, {"a.wit": "package a:b; world w {}", "b.wit": "not read"})

    assert "a:b/w" == parse(folder / "a.wit").world("w").id


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.txt": ""}, "no .wit file in this folder"),
        ({"a.wit": "package a:b;", "b.wit": "package a:c;"}, "package a:c in the folder of"),
        ({"a.wit": "package a:b;", "deps/x/y.txt": ""}, "no .wit file in this folder"),
        ({"a.wit": "package a:b;", "deps/x.wat": ""}, "`wasm-tools parse x.wat -o x.wasm` makes"),
        ({"a.wit": "package a:b;", "deps/x.wasm": "no"}, "x.wasm: not WebAssembly"),
        ({"a.wit": "package a:b;", "deps/x.wit": "package a:b;"}, "a:b is defined twice"),
        ({"a.wit": "/// X\npackage a:b;", "b.wit": "/// Y\npackage a:b;"}, "has its doc comment"),
        ({"a.wit": "package a:b; interface i {}", "b.wit": "interface i {}"}, "is defined twice"),
    ],
)
def test_folders_that_are_no_package_are_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    """
    What keeps a folder from being a package is said, with the file or folder.
    """
    with pytest.raises(WitError) as caught:
        parse(write(tmp_path, files))

    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """
    A missing file, and one that is no text, are named.
    """
    (tmp_path / "a.wit").write_bytes(b"package \xff;")

    with pytest.raises(WitError, match=r"x\.wit: no such file or folder"):
        parse(tmp_path / "x.wit")
    with pytest.raises(WitError, match=r"a\.wit: not UTF-8 at byte 8"):
        parse(tmp_path / "a.wit")


PACKAGE = """
(component
  (type (component
    (import "c:d/e@1.0.0" (instance $e (type $t (enum "x")) (export "t" (type (eq $t)))))
    (alias export $e "t" (type $t))
    (export "f:g/i@2.0.0" (instance
      (alias outer 1 $t (type $o))
      (export "t" (type $u (eq $o)))
      (export "run" (func (param "with" $u)))))))
  (export "i" (type 0))
  (type (component
    (type (component
      (import "f:g/i@2.0.0" (instance (export "run" (func))))
      (export "stop" (func))))
    (export "f:g/w@2.0.0" (component (type 0)))))
  (export "w" (type 2))
"""
RUN = {"docs": "Runs.", "stability": {"stable": {"since": "1.9.0"}}}
DOCS = {"docs": "Goes.", "interfaces": {"i": {"funcs": {"run": RUN}}}}


def binary_package(docs: str) -> bytes:
    """
    The binary form of that package, documented by *docs*.
    """
    quoted = docs.replace('"', '\\"')
    return bytes(wasmtime.wat2wasm(f'{PACKAGE} (@custom "package-docs" "\\01{quoted}"))'))


def test_packages_may_be_binary(tmp_path: Path) -> None:
    """
    A package that tools made binary is read like its text, docs and gates included.
    """
    path = tmp_path / "fg.wasm"
    path.write_bytes(binary_package(json.dumps(DOCS)))
    packages = parse(path)
    run = packages.interface("i").function("run")

    assert ("f:g@2.0.0", "Goes.") == (str(packages.main.name), packages.main.docs)
    assert ("Runs.", Stability(since="1.9.0")) == (run.docs, run.stability)
    assert ["stop"] == [extern.name for extern in packages.world("w").exports]
    assert ["c:d@1.0.0"] == [str(package.name) for package in packages.others]
    assert "c:d/e@1.0.0" == run.params[0].type.owner


def test_binary_packages_stand_in_deps(tmp_path: Path) -> None:
    """
    What a binary package holds of another one gives way to that other one.
    """
    folder = write(
        tmp_path,
        {
            "a.wit": "package a:b; world w { import f:g/i@2.0.0; import c:d/e@1.0.0; }",
            "deps/cd.wit": "package c:d@1.0.0; interface e { enum t { x } more: func(); }",
        },
    )
    (folder / "deps" / "fg.wasm").write_bytes(binary_package("{}"))
    packages = parse(folder)

    assert "more" == packages.interface("c:d/e@1.0.0").functions[0].name
    assert "run" == packages.interface("f:g/i@2.0.0").functions[0].name


def test_a_component_is_read_as_its_world(tmp_path: Path) -> None:
    """
    What a component imports and exports is a world that others can be checked against.
    """
    path = tmp_path / "x.wasm"
    path.write_bytes(
        bytes(wasmtime.wat2wasm('(component (import "f" (func $f)) (export "g" (func $f)))'))
    )
    world = parse(path).world("root")

    assert (["f"], ["g"]) == ([e.name for e in world.imports], [e.name for e in world.exports])


@pytest.mark.parametrize("docs", ["no", '{"interfaces": {"i": []}}', '{"interfaces": []}'])
def test_docs_of_another_form_are_refused(tmp_path: Path, docs: str) -> None:
    """
    A binary package whose documentation is none is refused, with the file.
    """
    path = tmp_path / "fg.wasm"
    path.write_bytes(binary_package(docs))

    with pytest.raises(WitError, match=r"fg\.wasm: bad component: its package-docs"):
        parse(path)


WHOLE = binary_package(json.dumps(DOCS))


@given(st.binary(max_size=20), st.integers(8, len(WHOLE)), st.integers(0, 10))
def test_damaged_packages_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, cut: int
) -> None:
    """
    Whatever stands in the bytes, the end is packages or an error that names the file.
    """
    path = tmp_path_factory.getbasetemp() / "damaged.wasm"
    path.write_bytes(WHOLE[:at] + noise + WHOLE[at + cut :])
    try:
        packages = parse(path)
    except WitError as error:
        assert str(path) in str(error)
    else:
        assert packages.main.name
