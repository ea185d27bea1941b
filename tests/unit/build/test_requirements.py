"""
What a plugin requires is installed if it is pure Python, and refused by name if it is not.
"""

import zipfile
from pathlib import Path

import pytest

from otelwasm.build.requirements import install_requirements
from otelwasm.errors import BuildError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A cache of the test's own.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def wheel(folder: Path, name: str, *, tag: str = "py3-none-any", extra: str = "") -> None:
    """
    Write a wheel of one module, and of one *extra* file.
    """
    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as file:
        file.writestr(f"{name}/__init__.py", "x = 1\n")
        if extra:
            file.writestr(f"{name}/{extra}", b"")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", "")


def install(index: Path, *names: str, pinned: dict[str, str] | None = None) -> Path | None:
    """
    Install from the wheels in *index* and from nowhere else.
    """
    lines = "\n".join(("--no-index", f"--find-links {index}", *names))
    return install_requirements(lines, pinned=pinned or {}, report=lambda line: None)


def test_nothing_required_needs_nothing() -> None:
    """
    Without requirements, or with none but the SDK itself, there is no folder.
    """
    for nothing in ("", "\n# a comment\n", "otelwasm>=0.1\n", "otelwasm_sdk\n"):
        assert install_requirements(nothing, pinned={}, report=lambda line: None) is None


def test_pure_packages_are_installed_once(tmp_path: Path) -> None:
    """
    A pure package is installed into the cache; the second time it is taken from there.
    """
    wheel(tmp_path / "index", "pure")
    first = install(tmp_path / "index", "pure")
    assert first is not None
    (tmp_path / "index" / "pure-1.0-py3-none-any.whl").unlink()

    assert (first / "pure" / "__init__.py").is_file()
    assert first == install(tmp_path / "index", "pure")


def test_a_native_package_is_refused_by_name(tmp_path: Path) -> None:
    """
    A package that has wheels for one machine only is named, and why it cannot be used.
    """
    wheel(tmp_path / "index", "native", tag="cp311-cp311-manylinux_2_17_x86_64")

    with pytest.raises(BuildError, match=r"requirement native: .* no pure-Python wheel"):
        install(tmp_path / "index", "native")


def test_what_is_not_there_is_told_apart(tmp_path: Path) -> None:
    """
    A name that no package has, a version that a package does not have, and what to use instead of
    a well-known one that is compiled.
    """
    wheel(tmp_path / "index", "pure")
    found = {}
    for wanted in ("otelwasm-rules", "pure==9.1", "numpy"):
        with pytest.raises(BuildError) as raised:
            install(tmp_path / "index", wanted)
        found[wanted] = str(raised.value)

    assert {
        "otelwasm-rules": "requirement otelwasm-rules: the package index has no package of that"
        " name",
        "pure==9.1": "requirement pure==9.1: no version of it fits; there are: 1.0",
        "numpy": "requirement numpy: numpy is compiled code, which does not run in WebAssembly",
    } == found


def test_a_compiled_part_in_a_pure_wheel_is_refused(tmp_path: Path) -> None:
    """
    A wheel that says it is pure, and is not, is named with what it holds.
    """
    wheel(tmp_path / "index", "liar", extra="core.so")

    with pytest.raises(BuildError, match=r"requirement liar has a compiled part, liar/core.so"):
        install(tmp_path / "index", "liar")


def test_what_every_plugin_carries_is_pinned(tmp_path: Path) -> None:
    """
    A package that the SDK brings along cannot be had in another version.
    """
    wheel(tmp_path / "index", "attrs")

    with pytest.raises(BuildError, match=r"attrs==1.0"):
        install(tmp_path / "index", "attrs==1.0", pinned={"attrs": "26.1.0"})


def test_what_pip_does_not_understand_is_shown(tmp_path: Path) -> None:
    """
    Pip's own words reach the author.
    """
    with pytest.raises(BuildError, match="'not a requirement!' is not understood"):
        install(tmp_path, "not a requirement!")
