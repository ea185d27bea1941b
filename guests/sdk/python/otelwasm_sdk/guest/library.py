"""
What a plugin can import in a runner: all that is there while the runner is made, kept as code.
"""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence

from otelwasm_sdk.guest.memory import Importer, compiled, install

__all__ = ["open_library"]

# Imported beforehand: nearly no plugin uses all of it, and no instance pays for it.
_MODULES = """
abc array binascii calendar cmath codecs collections.abc configparser contextlib contextvars csv
dataclasses difflib email.utils fractions glob gzip html http http.cookies importlib.resources
inspect io keyword locale logging mimetypes numbers pathlib pprint queue reprlib secrets shlex
statistics stringprep sys tempfile threading tomllib types typing urllib.error uuid weakref zoneinfo
attr attrs
opentelemetry.proto.collector.logs.v1.logs_service_pb2
opentelemetry.proto.collector.metrics.v1.metrics_service_pb2
opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2
opentelemetry.proto.collector.trace.v1.trace_service_pb2
google.protobuf.json_format
otelwasm_sdk.http otelwasm_sdk.log otelwasm_sdk.meter otelwasm_sdk.state
"""
_SKIPPED = {
    *("__pycache__", "_pyrepl", "curses", "ensurepip", "idle_test", "idlelib", "lib2to3"),
    *("pydoc_data", "site-packages", "test", "tests", "tkinter", "turtledemo", "turtle.py", "venv"),
}
# The standard library has it, and no data that matter.
_STANDARD = "os.py"
_NO_DATA = (".py", ".pyc", ".pyi", ".so")


def open_library(packages: Sequence[str]) -> frozenset[str]:
    """
    Keep what can be imported, and import what most plugins use and *packages*; return the names of
    all modules that this brought in.
    """
    # The last that is installed is asked first. This comes first, as compiling leaves free memory
    # behind, which what is imported after it fills.
    for folder in reversed([folder for folder in sys.path if os.path.isdir(folder)]):
        install(Importer(folder, dict(_files(folder, ""))))
    before = frozenset(sys.modules)
    for name in _MODULES.split():
        importlib.import_module(name)
    for name in packages:
        # What is wrong with one is said to the plugin that imports it.
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    return frozenset(sys.modules) - before


def _files(folder: str, inside: str) -> Iterator[tuple[str, bytes]]:
    """
    Find the modules in *folder*, compiled, and the data beside them, by their paths.
    """
    has_data = not os.path.exists(f"{folder}/{_STANDARD}")
    for name in sorted(os.listdir(f"{folder}/{inside}")):
        path = f"{folder}/{inside}{name}"
        if name in _SKIPPED or name.endswith(".dist-info"):
            continue
        if os.path.isdir(path):
            yield from _files(folder, f"{inside}{name}/")
        elif name.endswith(".py"):
            with contextlib.suppress(SyntaxError):  # as templates of other tools
                yield f"{inside}{name}c", compiled(_content(path), path)
        elif has_data and not name.endswith(_NO_DATA):
            yield f"{inside}{name}", _content(path)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
