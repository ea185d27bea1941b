"""
Build a JavaScript plugin: its modules and npm packages become a component.

    package.json, package-lock.json ──► npm ci ──────────► node_modules
    the module that is its `main`   ──► esbuild ─────────► one module
    what that exports, the contract ──► componentize-js ─► component

esbuild and componentize-js are the plugin's own devDependencies, pinned by its package-lock.json.
componentize-js runs the module once, up to the end of its top level, and keeps the image of the
engine's memory; so imports of the contract cannot be called there. Components are cached by the
content of all that goes into them; made anew, they are not the same to the byte, as the image has
what the engine drew at random.

The component asks WASI for nothing: there is no clock, no console, and random numbers repeat.
`"otelwasm": {"features": ["clocks", "random", "stdio"]}` in package.json adds what is needed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from otelwasm.build.kept import kept_component, plugin_name
from otelwasm.build.toolchains import NO_NODE
from otelwasm.contract import contract_dir
from otelwasm.errors import BuildError

__all__ = ["build"]

Report = Callable[[str], None]

# Changes with everything below that changes what a component holds.
_FORMAT = "1"
_MANIFEST, _LOCK = "package.json", "package-lock.json"
_TOOLS = ("esbuild", "componentize-js")
_TOOL_PACKAGES = "esbuild @bytecodealliance/componentize-js"
_FEATURES = ("stdio", "random", "clocks", "http", "fetch-event")
_OFFERED = frozenset(("stdio", "random", "clocks"))
# What a plugin of each kind exports beside `lifecycle`.
_KINDS = {"processing": "processor", "exporting": "exporter", "receiving": "receiver"}


def build(source: Path, *, report: Report = lambda line: None) -> Path:
    """
    Build the plugin in the folder *source* into the cache.
    """
    manifest = _manifest(source)
    features = _features(source, manifest)
    name = plugin_name(source)

    def make() -> bytes:
        with tempfile.TemporaryDirectory(prefix="otelwasm-build-") as folder:
            work = Path(folder)
            for file in _files(source):
                (work / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / file, work / file)
            report(f"{name}: npm installs what {_LOCK} lists")
            _run(work, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            return _component(source, work, manifest, features=features, report=report)

    return kept_component(name, _key(source), make=make, report=report)


def _manifest(source: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((source / _MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise BuildError(f"{source / _MANIFEST}: {error}") from None
    if not isinstance(manifest, dict):
        raise BuildError(f"{source / _MANIFEST}: it is no JSON object")
    if not (source / _LOCK).is_file():
        raise BuildError(
            f"{source} has no {_LOCK}, which pins the packages and tools of a build;"
            " npm install --package-lock-only writes it"
        )
    return manifest


def _features(source: Path, manifest: Mapping[str, Any]) -> frozenset[str]:
    own = manifest.get("otelwasm", {})
    given = own.get("features", []) if isinstance(own, dict) else None
    if not isinstance(given, list) or not _OFFERED.issuperset(map(str, given)):
        raise BuildError(
            f'{source / _MANIFEST}: "otelwasm": {{"features": […]}} lists some of'
            f" {', '.join(sorted(_OFFERED))}"
        )
    return frozenset(given)


def _files(source: Path) -> Iterator[Path]:
    """
    What belongs to the plugin, by names relative to its folder.
    """
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(f for f in folders if f != "node_modules" and not f.startswith("."))
        for name in sorted(names):
            if name == ".npmrc" or not (name.startswith(".") or name.endswith(".wasm")):
                yield (Path(folder) / name).relative_to(source)


def _key(source: Path) -> str:
    digest = hashlib.sha256(_FORMAT.encode())
    contract = contract_dir()
    files = [(str(file), source / file) for file in _files(source)]
    files += [(f"wit/{path.name}", path) for path in sorted(contract.glob("*.wit"))]
    for name, path in files:
        content = path.read_bytes()
        digest.update(f"{len(name)} {name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:32]


def _component(
    source: Path,
    work: Path,
    manifest: Mapping[str, Any],
    *,
    features: frozenset[str],
    report: Report,
) -> bytes:
    """
    Bundle and componentize what lies in *work*, where its packages are installed.
    """
    bin_ = work / "node_modules" / ".bin"
    if missing := [tool for tool in _TOOLS if not (bin_ / tool).exists()]:
        raise BuildError(
            f"{source / _LOCK} does not have {' and '.join(missing)}, which build the plugin;"
            f" npm install --save-dev --save-exact {_TOOL_PACKAGES} adds them"
        )
    main = str(manifest.get("main", "plugin.js"))
    if not (work / main).is_file():
        raise BuildError(f'{source / main} is missing; "main" in {_MANIFEST} names the plugin')
    bundle, described = work / ".bundle.js", work / ".bundle.json"
    _run(
        work,
        [
            *(str(bin_ / "esbuild"), f"./{main}", "--bundle", "--format=esm"),
            *(f"--outfile={bundle}", f"--metafile={described}", "--log-level=warning"),
        ],
    )
    [written] = json.loads(described.read_bytes())["outputs"].values()
    kinds = [kind for name, kind in _KINDS.items() if name in written["exports"]]
    if len(kinds) != 1 or "lifecycle" not in written["exports"]:
        raise BuildError(
            f"{source / main} exports {', '.join(written['exports']) or 'nothing'}; a plugin"
            f" exports lifecycle and one of {', '.join(_KINDS)}"
        )
    report(f"{main}: making a component of it, which takes half a minute")
    component = work / ".component.wasm"
    disabled = [each for each in _FEATURES if each not in features]
    _run(
        work,
        [
            *(str(bin_ / "componentize-js"), str(bundle), "--out", str(component)),
            *("--wit", str(contract_dir()), "--world-name", kinds[0], "--disable", *disabled),
        ],
    )
    return component.read_bytes()


def _run(work: Path, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise BuildError(NO_NODE) from None
    if done.returncode:
        tool = Path(command[0]).name
        said = (done.stdout + done.stderr).strip()[-4000:]
        raise BuildError(f"{tool} failed (exit status {done.returncode}):\n{said}")
