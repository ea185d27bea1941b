"""
Write the Go SDK's bindings, internal/bindings, from wit/plugin.wit with wit-bindgen.

wit-bindgen makes one set for each world. What the worlds share is the same in each, so it is
kept once; the functions that a world exports stand in a package of its own, which a plugin gets by
the package of its kind. Type and memory helpers are the SDK's own (internal/wit).

With --check nothing is written, nor is wit-bindgen needed: the bindings are fresh if they and the
contract are those that `made-from` has the hashes of.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SDK = Path(__file__).resolve().parent
ROOT = SDK.parents[2]
CONTRACT = ROOT / "wit" / "plugin.wit"
BINDINGS = SDK / "internal" / "bindings"
MADE_FROM = BINDINGS / "made-from"
MODULE = "github.com/otelwasm/otelwasm/guests/sdk/go/internal"
WORLDS = ("processor", "exporter", "receiver")
# Only a component has the host's functions; a native test must build without them.
CONSTRAINT = "//go:build wasip1\n\n"


def generated() -> dict[str, str]:
    """
    The text of each file, by its place in the bindings.
    """
    tool = subprocess.check_output([ROOT / "scripts" / "tool", "wit-bindgen"], text=True).strip()
    texts: dict[str, str] = {}
    for world in WORLDS:
        with tempfile.TemporaryDirectory() as folder:
            options = ["--pkg-name", f"{MODULE}/bindings", "--out-dir", folder, "--world", world]
            subprocess.run([tool, "go", *options, CONTRACT], check=True, capture_output=True)
            for path in sorted(Path(folder).rglob("*.go")):
                package = path.parent.name
                place = f"{world if package == 'wit_exports' else package}/{path.name}"
                text = _own(path.read_text(encoding="utf-8"), world)
                if texts.setdefault(place, text) != text:
                    raise SystemExit(f"{place} differs between worlds")
    return texts


def _own(text: str, world: str) -> str:
    text = text.replace("go.bytecodealliance.org/pkg/wit/", f"{MODULE}/wit/")
    text = text.replace(f'"{MODULE}/bindings/imports/', f'"{MODULE}/bindings/')
    # What the plugin does of each interface: these functions are written by hand, in one package.
    exported = rf'"{MODULE}/bindings/exports/(export_otelwasm_plugin_\w+)"'
    text = re.sub(exported, rf'\1 "{MODULE}/exports"', text)
    text = text.replace("package wit_exports", f"package {world}")
    return CONSTRAINT + text


def fingerprint() -> str:
    """
    What `made-from` has to say.
    """
    paths = [CONTRACT, Path(__file__), *sorted(BINDINGS.rglob("*.go"))]
    hashes = ((hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in paths)
    return "".join(f"{digest}  {path.relative_to(ROOT).as_posix()}\n" for digest, path in hashes)


def main() -> int:
    """
    Write the bindings where they are not fresh; or with `--check` say that they are not.
    """
    if MADE_FROM.exists() and MADE_FROM.read_text(encoding="utf-8") == fingerprint():
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{BINDINGS} is stale: run python {__file__}", file=sys.stderr)
        return 1
    texts = generated()
    for stale in BINDINGS.rglob("*.go"):
        stale.unlink()
    for place, text in texts.items():
        (BINDINGS / place).parent.mkdir(parents=True, exist_ok=True)
        (BINDINGS / place).write_text(text, encoding="utf-8")
    subprocess.check_call(["gofmt", "-w", BINDINGS])
    MADE_FROM.write_text(fingerprint(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
