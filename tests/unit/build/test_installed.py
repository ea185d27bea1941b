"""
Versions of packages are told as `importlib.metadata` tells them, without it.
"""

import importlib.metadata
import sys
from pathlib import Path

import pytest

from otelwasm.build import installed
from otelwasm.errors import BuildError


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder that Python finds packages in, first of all.
    """
    monkeypatch.setattr(installed, "_described", installed._described.__wrapped__)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def described(folder: Path, name: str, version: str) -> None:
    """
    Say that a package is installed, as pip says it.
    """
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.mark.parametrize(
    "package", ["attrs", "componentize-py", "opentelemetry-proto", "protobuf", "ziglang"]
)
def test_versions_are_those_of_the_metadata(package: str) -> None:
    """
    What the names of folders say is what the metadata says.
    """
    assert importlib.metadata.version(package) == installed.version_of(package)


@pytest.mark.parametrize("written", ["Some_Thing", "some.thing", "some_thing"])
def test_names_are_spelled_in_several_ways(packages: Path, written: str) -> None:
    """
    Hyphens, dots, underscores and cases do not matter.
    """
    described(packages / f"{written}-1.2.post1.dist-info", "some-thing", "1.2.post1")

    assert "1.2.post1" == installed.version_of("some-thing")


def test_the_first_on_the_path_counts(
    packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    Of two versions the one is told that Python would import.
    """
    later = tmp_path_factory.mktemp("later")
    sys.path.append(str(later))  # taken back with the fixture's change
    described(later / "thing-1.dist-info", "thing", "1")
    described(packages / "thing-2.dist-info", "thing", "2")

    assert "2" == installed.version_of("thing")


def test_other_forms_are_left_to_the_metadata(packages: Path) -> None:
    """
    A package that is described without a version in the name is found all the same.
    """
    described(packages / "thing.egg-info", "thing", "3")
    (packages / "thing.egg-info" / "METADATA").rename(packages / "thing.egg-info" / "PKG-INFO")

    assert "3" == installed.version_of("thing")


def test_a_missing_package_is_named() -> None:
    """
    What is not installed is named with the command that installs it.
    """
    with pytest.raises(BuildError, match="pip install no-such-thing"):
        installed.version_of("no-such-thing")
