"""
Import the plugin, and say why it cannot be one: while its component is made, or, in a runner, when
its sources come.
"""

import gc
import importlib.util
import json
import linecache
import sys
from collections.abc import Callable, Mapping, Set
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from google.protobuf.internal import api_implementation

from otelwasm_sdk.definition import Definition, Kind, definitions_in
from otelwasm_sdk.guest.logs import forward_logging
from otelwasm_sdk.guest.memory import Importer, install, remove_all
from otelwasm_sdk.guest.nesting import limit_json
from otelwasm_sdk.guest.standard import close_imports, preload
from otelwasm_sdk.report import report_of
from otelwasm_sdk.signature import DefinitionError

__all__ = ["REFUSAL", "RefusalError", "load", "load_from_memory", "or_refuse", "prepare", "settle"]

REFUSAL = "otelwasm-refusal:"
# Where files that came in memory seem to be.
_ROOT = "/plugin"

Loaded = tuple[Definition, str]


class RefusalError(Exception):
    """
    There is no plugin to run. The text is JSON: `message`, which begins with the file, as seen
    from the plugin's folder, and the line if they are known; the module that is `missing`; and
    whether it is `final`: other exceptions may be for want of what is there while a component is
    made, as a folder to list.
    """


def prepare() -> None:
    """
    Get ready for any plugin.
    """
    if api_implementation.Type() != "upb":
        raise DefinitionError(
            f"protobuf uses its {api_implementation.Type()} implementation, not upb, its C"
            " core; plugins would be a hundred times slower"
        )
    preload()
    limit_json()


def load(path: str, kind: Kind) -> Loaded:
    """
    Import the file at *path*; return its plugin and the folder that its code is in.
    """
    folder = f"{Path(path).parent}/"

    def find() -> Definition:
        prepare()
        _keep_sources(folder)
        name = Path(path).stem
        spec = importlib.util.spec_from_file_location(name, path)
        return _plugin_in(_imported(name, spec), kind)

    definition = _checked(find, folder)
    close_imports()
    forward_logging()
    settle()
    return definition, folder


def load_from_memory(files: Mapping[str, bytes], kind: Kind, *, extra: Set[str]) -> Loaded:
    """
    Import the first of *files*, a plugin's by their names; the others are its modules and data.

    Modules of the names *extra* are there only to be at hand: the plugin's own come before them.
    """
    folder = f"{_ROOT}/"

    def find() -> Definition:
        entry = next(iter(files))
        importer = Importer(_ROOT, files)
        install(importer)
        own = {path.partition("/")[0].removesuffix(".py") for path in files}
        for name in [each for each in sys.modules if each.partition(".")[0] in own]:
            if name in extra:
                del sys.modules[name]
        importer.keep_sources()
        name = entry.removesuffix(".py")
        with importer.opened():
            return _plugin_in(_imported(name, importer.spec_of(name, entry)), kind)

    definition = _checked(find, folder)
    remove_all()
    close_imports()
    forward_logging()
    settle()
    return definition, folder


def or_refuse(load: Callable[[], Loaded]) -> Loaded:
    """
    Load; tell the build, in one line, why there will be no component, and end the interpreter.
    """
    try:
        return load()
    except RefusalError as refusal:
        print(REFUSAL, refusal, file=sys.stderr)
        raise SystemExit(1) from None


def settle() -> None:
    """
    What is here now stays: the garbage collector need not look at it again.
    """
    gc.collect()
    gc.freeze()


def _checked(find: Callable[[], Definition], folder: str) -> Definition:
    try:
        return find()
    except DefinitionError as error:
        raise _refusal(str(error).replace(folder, ""), is_final=True) from None
    except BaseException as error:
        report = report_of(error, folder)
        # Its subclasses miss other things, as a package's metadata.
        missing = error.name if type(error) is ModuleNotFoundError else None
        is_final = missing is not None or isinstance(error, SyntaxError)
        if missing:  # the build knows more about that
            text = report.reason
        elif isinstance(error, ImportError | SyntaxError):
            text = report.reason + (f"; {report.advice}" if report.advice else "")
        else:
            text = f"{report.reason}\n{report.full}"
        if isinstance(error, ImportError) and error.path:
            # Where its module lies in a component says nothing to an author.
            text = text.replace(f" ({error.path})", "")
        said = text if report.place is None else f"{report.place}: {text}"
        raise _refusal(said, missing=missing, is_final=is_final) from None


def _refusal(message: str, *, missing: str | None = None, is_final: bool) -> RefusalError:
    return RefusalError(json.dumps({"message": message, "missing": missing, "final": is_final}))


def _imported(name: str, spec: ModuleSpec | None) -> ModuleType:
    """
    Import a file as the module *name*, whatever the file's name.
    """
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is no Python file", name=name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _keep_sources(folder: str) -> None:
    """
    Keep the plugin's lines for tracebacks: at run time there is no file to read them from.
    """
    for path in Path(folder).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # Without a modification time the entry is never checked against a file.
        linecache.cache[str(path)] = (len(text), None, text.splitlines(keepends=True), str(path))


def _plugin_in(module: ModuleType, kind: Kind) -> Definition:
    """
    The one plugin of *module*.
    """
    found = definitions_in(module)
    if len(found) == 1 and found[0].kind == kind:
        return found[0]
    names = ", ".join(f"{definition.name} (@{definition.kind})" for definition in found)
    raise DefinitionError(f"a plugin's file has one @{kind}; found: {names or 'none'}")
