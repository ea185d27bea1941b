"""
Build what the tests of every type need: the guest by componentize-py, the bindings by bindgen.
"""

import hashlib
import importlib.util
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from otelwasm.bindgen import generate
from otelwasm.cache import cache_dir, write_atomically
from otelwasm.wit import parse

__all__ = ["HERE", "bindings", "guest"]

HERE = Path(__file__).parent


def guest(folder: Path) -> Path:
    """
    The component of app/app.py, built in *folder* the first time; 10 s.
    """
    sources = [HERE / "every.wit", HERE / "app" / "app.py"]
    key = hashlib.sha256(version("componentize-py").encode())
    for source in sources:
        key.update(source.read_bytes())
    kept = cache_dir("tests") / f"every-{key.hexdigest()[:32]}.wasm"
    if not kept.exists():
        built = folder / "every.wasm"
        program = Path(sysconfig.get_path("scripts")) / "componentize-py"
        wit = ["--wit-path", str(HERE / "every.wit"), "--world", "every"]
        app = ["componentize", "app", "-p", str(HERE / "app"), "-o", str(built)]
        subprocess.run([program, "--quiet", *wit, *app], check=True, timeout=300)
        write_atomically(kept, built.read_bytes())
    return kept


def bindings(folder: Path) -> ModuleType:
    """
    The package of bindings of every.wit, generated into *folder*.
    """
    out = folder / "every_bindings"
    generate(parse(HERE / "every.wit"), "every", out)
    spec = importlib.util.spec_from_file_location(
        out.name, out / "__init__.py", submodule_search_locations=[str(out)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[out.name] = package
    spec.loader.exec_module(package)
    return package
