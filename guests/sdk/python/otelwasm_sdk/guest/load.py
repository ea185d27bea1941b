"""
Import the plugin while its component is made, and say in one line why it cannot be one.
"""

import gc
import importlib.util
import json
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from google.protobuf.internal import api_implementation

from otelwasm_sdk.definition import Definition, Kind, definitions_in
from otelwasm_sdk.guest.nesting import limit_json
from otelwasm_sdk.guest.standard import close_imports, preload
from otelwasm_sdk.report import report_of
from otelwasm_sdk.signature import DefinitionError

__all__ = ["REFUSAL", "import_file", "keep_sources", "load", "only_one", "refuse"]

REFUSAL = "otelwasm-refusal:"


def load(path: str, kind: Kind) -> tuple[Definition, str]:
    """
    Import the file at *path*; return its plugin and the folder that its code is in.

    What goes wrong is written as one line for the build to read, and ends the interpreter.
    """
    folder = str(Path(path).parent) + "/"
    try:
        if api_implementation.Type() != "upb":
            raise DefinitionError(
                f"protobuf uses its {api_implementation.Type()} implementation, not upb, its C"
                " core; plugins would be a hundred times slower"
            )
        preload()
        limit_json()
        keep_sources(folder)
        definition = only_one(definitions_in(import_file(path)), kind)
    except DefinitionError as error:
        refuse(str(error).replace(folder, ""))
    except ImportError as error:
        refuse(report_of(error, folder).full, missing=error.name)
    except BaseException as error:
        refuse(report_of(error, folder).full)
    close_imports()
    # What is here now stays: the garbage collector need not look at it again.
    gc.collect()
    gc.freeze()
    return definition, folder


def import_file(path: str) -> ModuleType:
    """
    Import the file at *path*, whatever its name.
    """
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file", name=name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def keep_sources(folder: str) -> None:
    """
    Keep the plugin's lines for tracebacks: at run time there is no file to read them from.
    """
    for path in Path(folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # Without a modification time the entry is never checked against a file.
        linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))


def only_one(found: list[Definition], kind: Kind) -> Definition:
    """
    Return the one plugin that was found.
    """
    if len(found) == 1 and found[0].kind == kind:
        return found[0]
    names = ", ".join(f"{definition.name} (@{definition.kind})" for definition in found)
    raise DefinitionError(f"a plugin's file has one @{kind}; found: {names or 'none'}")


def refuse(message: str, *, missing: str | None = None) -> NoReturn:
    """
    Tell the build why there will be no component.
    """
    print(REFUSAL, json.dumps({"message": message, "missing": missing}), file=sys.stderr)
    raise SystemExit(1)
