"""
A JavaScript plugin's folder is looked at before anything is built, and told what is wrong with it.
"""

import json
import shutil
from pathlib import Path

import pytest

from otelwasm.build.javascript import build
from otelwasm.errors import BuildError

# Stands for npm where the test is about what comes after it: it installs tools that do as told.
NPM = """#!/bin/sh
set -e
mkdir -p node_modules/.bin
cat >node_modules/.bin/esbuild <<'END'
#!/bin/sh
echo '{"outputs": {"bundle.js": {"exports": ["lifecycle", "helping"]}}}' >.bundle.json
END
echo '#!/bin/sh' >node_modules/.bin/componentize-js
chmod +x node_modules/.bin/*
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A plugin's folder, a cache of its own, and nothing on the PATH but a shell's tools.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "cache"))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cat", "chmod", "mkdir"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tools))
    folder = tmp_path / "javascript"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("{}")
    (folder / "plugin.js").write_text("export const lifecycle = {};\n")
    return folder


def with_npm(plugin: Path, script: str) -> None:
    """
    Let *script* be npm.
    """
    npm = plugin.parent / "tools" / "npm"
    npm.write_text(script)
    npm.chmod(0o755)


def test_packages_have_to_be_pinned(plugin: Path) -> None:
    """
    A folder without a package-lock.json is refused, with the command that writes one.
    """
    (plugin / "package-lock.json").unlink()

    with pytest.raises(BuildError, match="npm install --package-lock-only writes it"):
        build(plugin)


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_manifest_that_is_none_is_named(plugin: Path, content: str) -> None:
    """
    A package.json that is no JSON object is named.
    """
    (plugin / "package.json").write_text(content)

    with pytest.raises(BuildError, match=r"javascript/package\.json: "):
        build(plugin)


@pytest.mark.parametrize("own", [["clocks"], {"features": "clocks"}, {"features": ["http"]}])
def test_features_are_some_of_those_that_there_are(plugin: Path, own: object) -> None:
    """
    What a plugin may ask of WASI is listed where it asks for something else.
    """
    (plugin / "package.json").write_text(json.dumps({"otelwasm": own}))

    with pytest.raises(BuildError, match="some of clocks, random, stdio"):
        build(plugin)


def test_missing_tools_are_named(plugin: Path) -> None:
    """
    Without npm the error says what to install, and where from.
    """
    with pytest.raises(BuildError, match=r"needs npm and Node\.js 20 or later: https://nodejs"):
        build(plugin)


def test_what_npm_says_is_passed_on(plugin: Path) -> None:
    """
    When a tool fails, its author gets to read what it said.
    """
    with_npm(plugin, "#!/bin/sh\necho no such package >&2\nexit 3\n")

    with pytest.raises(BuildError, match=r"npm failed \(exit status 3\):\nno such package"):
        build(plugin)


def test_a_plugin_brings_the_tools_that_build_it(plugin: Path) -> None:
    """
    Where the lock file lacks esbuild and componentize-js, the error has the command to add them.
    """
    with_npm(plugin, "#!/bin/sh\n")

    with pytest.raises(BuildError, match="does not have esbuild and componentize-js"):
        build(plugin)


def test_a_missing_module_is_named(plugin: Path) -> None:
    """
    The module that package.json's `main` names has to be there.
    """
    (plugin / "package.json").write_text('{"main": "index.js"}')
    with_npm(plugin, NPM)

    with pytest.raises(BuildError, match=r'index\.js is missing; "main" in package\.json'):
        build(plugin)


def test_a_module_that_is_no_plugin_is_refused(plugin: Path) -> None:
    """
    A module that exports something else is told what a plugin exports.
    """
    with_npm(plugin, NPM)

    with pytest.raises(BuildError, match=r"exports lifecycle, helping; a plugin exports lifecyc"):
        build(plugin)
