"""
Packages are read from files and folders, with what their `deps/` hold.
"""

from pathlib import Path

import pytest

from otelwasm.errors import WitError
from otelwasm.wit import parse


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
        ({"a.wit": "package a:b;", "deps/x.wat": ""}, "only WIT text is read here"),
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
