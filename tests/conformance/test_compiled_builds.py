"""
Rust and Go folders become components, the same wherever they are, and mistakes are shown in place.
"""

import shutil
from pathlib import Path

import pytest

from conformance.building import need
from otelwasm.build import build
from otelwasm.build.sdks import SDK_LINK, sdk_folder
from otelwasm.cache import cache_dir
from otelwasm.errors import BuildError
from otelwasm.plugins.plugin import Plugin

GUESTS = Path(__file__).resolve().parents[2] / "guests"
LANGUAGES = ("rust", "go")

RUST = """\
[package]
name = "elsewhere"
version = "0.1.0"
edition = "2024"
[lib]
crate-type = ["cdylib"]
[dependencies]
otelwasm-sdk = "0.1"
"""
GO = """\
module example.com/elsewhere

go 1.26.0

require github.com/otelwasm/otelwasm/guests/sdk/go v0.1.0
"""
MANIFESTS = {"rust": "Cargo.toml", "go": "go.mod"}
LINKED = {
    "rust": '[patch.crates-io]\notelwasm-sdk.path = "{}"\n',
    "go": "replace github.com/otelwasm/otelwasm/guests/sdk/go => ./{}\n",
}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """
    A language that this machine compiles.
    """
    language: str = request.param
    need(language)
    return language


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A cache without components; what plugins share in compiling is kept between tests.
    """
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("cargo", "tools", "commands"):
        (cache / name).symlink_to(cache_dir(name))
    monkeypatch.setenv("OTELWASM_CACHE", str(cache))
    return cache


def copy(language: str, to: Path) -> Path:
    """
    Copy the smallest example, and the SDK beside it, to another folder.
    """
    ignored = shutil.ignore_patterns("target")
    for name in (f"nop/{language}", f"sdk/{language}"):
        shutil.copytree(GUESTS / name, to / name, ignore=ignored)
    return to / "nop" / language


def elsewhere(language: str, folder: Path) -> Path:
    """
    The smallest example in a folder that is no part of a checkout.
    """
    folder.mkdir()
    if language == "rust":
        (folder / "Cargo.toml").write_text(RUST)
        shutil.copytree(GUESTS / "nop/rust/src", folder / "src")
    else:
        (folder / "go.mod").write_text(GO)
        shutil.copyfile(GUESTS / "nop/go/main.go", folder / "main.go")
    return folder


def test_two_builds_are_the_same(language: str, tmp_path: Path, empty_cache: Path) -> None:
    """
    The same sources in two folders become the same bytes, which do not name the folders.
    """
    built = []
    for name in ("one", "another/and/deeper"):
        component = build(copy(language, tmp_path / name))
        built.append(component.read_bytes())
        shutil.rmtree(empty_cache / "components")

    first, second = built
    assert first == second
    assert str(tmp_path).encode() not in first


def test_an_author_needs_no_checkout(language: str, tmp_path: Path) -> None:
    """
    A plugin that names the SDK by its version is built with the one that otelwasm brings along,
    and its own files stay as they were.
    """
    source = elsewhere(language, tmp_path / "elsewhere")

    component = build(source)

    with Plugin(component, name="elsewhere") as plugin:
        assert "processor" == plugin.world
    files = {"go": {"go.mod", "main.go"}, "rust": {"Cargo.lock", "Cargo.toml", "src"}}
    assert files[language] == {path.name for path in source.iterdir()}


def test_a_plugin_that_asks_for_another_sdk_is_not_built(language: str, tmp_path: Path) -> None:
    """
    Where the SDK is older or newer than what the plugin was written for, that is said.
    """
    source = elsewhere(language, tmp_path / "elsewhere")
    asked, wanted, ours = {
        "go": ("v0.1.0", "v0.2.0", "v0.1.0"),
        "rust": ('"0.1"', '"0.2"', "0.1.0"),
    }[language]
    manifest = source / MANIFESTS[language]
    manifest.write_text(manifest.read_text().replace(asked, wanted))

    with pytest.raises(BuildError) as raised:
        build(source)

    wanted, shown = wanted.strip('"'), {"go": "Go", "rust": "Rust"}[language]
    assert (
        f"{manifest} asks for version {wanted} of the SDK for {shown}, and this otelwasm comes"
        f" with {ours}: ask for that, or install the otelwasm that comes with {wanted}"
    ) == str(raised.value)


def test_a_link_to_the_sdk_is_put_in_place(language: str, tmp_path: Path) -> None:
    """
    The language's own tools find the SDK on a machine that has the plugin from version control,
    once it was built there; the build goes by the SDK that it brings, wherever the link leads.
    """
    source = elsewhere(language, tmp_path / "elsewhere")
    link = source / SDK_LINK
    with (source / MANIFESTS[language]).open("a") as manifest:
        manifest.write(LINKED[language].format(SDK_LINK))

    first = build(source)
    assert sdk_folder(language) == link.readlink()
    link.unlink()
    link.symlink_to(tmp_path / "gone")

    assert first == build(source)
    assert sdk_folder(language) == link.readlink()


def test_an_author_can_have_an_sdk_of_their_own(language: str, tmp_path: Path) -> None:
    """
    Where the manifest says another place for the SDK, the build goes there.
    """
    source = elsewhere(language, tmp_path / "elsewhere")
    with (source / MANIFESTS[language]).open("a") as manifest:
        manifest.write(LINKED[language].format("nowhere"))

    with pytest.raises(BuildError, match="nowhere"):
        build(source)


def test_a_change_is_built_anew(language: str, tmp_path: Path) -> None:
    """
    What is built depends on the plugin's files and on the SDK's; without a change it is there.
    """
    source = copy(language, tmp_path)
    said: list[str] = []
    sdk = next((tmp_path / "sdk").rglob("lib.rs" if language == "rust" else "doc.go"))

    first = build(source)
    again = build(source, report=said.append)
    sdk.write_text(sdk.read_text() + "\n// Another version.\n")

    assert first == again
    assert ["nop: built before from the same sources"] == said
    assert first != build(source)


def test_a_mistake_is_shown_in_its_place(language: str, tmp_path: Path) -> None:
    """
    The compiler's own message comes through, with file and line.
    """
    source = copy(language, tmp_path)
    file = source / ("src/lib.rs" if language == "rust" else "main.go")
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, "let it = be;"]))

    with pytest.raises(BuildError) as raised:
        build(source)

    place = f"{file.relative_to(source).as_posix()}:{len(lines) + 1}:"
    assert str(raised.value).startswith(f"{source} does not compile:\n")
    assert place in str(raised.value)
    assert 1 == str(raised.value).count(place)


def test_warnings_are_shown(tmp_path: Path, empty_cache: Path) -> None:
    """
    What the compiler warns of is reported.
    """
    need("rust")
    source = copy("rust", tmp_path)
    file = source / "src/lib.rs"
    file.write_text(file.read_text() + "\nfn unused() {}\n")
    said: list[str] = []

    build(source, report=said.append)

    assert "warning: function `unused` is never used" in said


def test_what_is_no_plugin_is_refused(tmp_path: Path) -> None:
    """
    A Rust crate that is no module, and a Go package that registers nothing, are told what to do.
    """
    need("rust")
    need("go")
    crate, package = copy("rust", tmp_path), copy("go", tmp_path)
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace("cdylib", "lib"))
    (package / "main.go").write_text("package main\n\nfunc main() {}\n")

    with pytest.raises(BuildError, match='takes\n    \\[lib\\]\n    crate-type = \\["cdylib"\\]'):
        build(crate)
    with pytest.raises(BuildError, match="registers no plugin: its package main calls"):
        build(package)
    manifest.write_text(manifest.read_text().replace('"lib"', '"cdylib"'))
    code = (crate / "src/lib.rs").read_text()
    (crate / "src/lib.rs").write_text(code.replace("otelwasm_sdk::processor!", "// "))
    with pytest.raises(BuildError, match=r"registers no plugin: its src/lib.rs ends with"):
        build(crate)
