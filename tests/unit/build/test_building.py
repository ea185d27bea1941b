"""
A folder's files say which language its plugin is written in, and what is built is handed over.
"""

from pathlib import Path

import pytest

from otelwasm.build import build, go, python, rust
from otelwasm.errors import BuildError


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A component that every language's builder returns, with the language in it.
    """
    component = tmp_path / "built.wasm"
    for builder in (python, rust, go):

        def build_one(source: Path, *, report: object, language: str = builder.__name__) -> Path:
            component.write_text(language)
            return component

        monkeypatch.setattr(builder, "build", build_one)
    return component


@pytest.mark.parametrize(
    ("name", "language"), [("plugin.py", "python"), ("Cargo.toml", "rust"), ("go.mod", "go")]
)
def test_a_folder_is_built_in_its_language(
    tmp_path: Path, built: Path, name: str, language: str
) -> None:
    """
    plugin.py, Cargo.toml and go.mod each name a language; the component is copied to where it is
    wanted.
    """
    (tmp_path / name).touch()
    out = tmp_path / "out.wasm"

    assert built == build(tmp_path)
    assert out == build(tmp_path, out)
    assert f"otelwasm.build.{language}" == out.read_text()


def test_a_folder_holds_one_plugin(tmp_path: Path) -> None:
    """
    A folder with the files of two languages, or of none, is refused.
    """
    with pytest.raises(
        BuildError, match=r"holds no plugin: there is no plugin\.py \(Python\), Car"
    ):
        build(tmp_path)

    for name in ("go.mod", "plugin.py"):
        (tmp_path / name).touch()
    with pytest.raises(BuildError, match=r"has plugin\.py and go\.mod: a folder holds one plugin"):
        build(tmp_path)


def test_the_place_to_write_to_is_looked_at_first(tmp_path: Path) -> None:
    """
    A component for a folder that does not exist is refused before anything is built.
    """
    (tmp_path / "go.mod").touch()

    with pytest.raises(BuildError, match=r"there is no folder .*/none to write it to"):
        build(tmp_path, tmp_path / "none" / "out.wasm")
