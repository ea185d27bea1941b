"""
Say what an author does instead, where a plugin reaches for what no plugin has.

Python's own words for that, as "No such file or directory", are true and of no help.
"""

import re
import traceback
from collections.abc import Iterator
from types import ModuleType

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.messages import Response
from otelwasm_sdk.wire import native

__all__ = ["advice_on"]

_FILES = (
    "a plugin has no files: read what lies in its folder while plugin.py is imported, with"
    ' Path(__file__).with_name("words.txt").read_text(); settings go into `config`, what has to'
    " last into `state`"
)
_NETWORK = (
    "a plugin opens no sockets: otelwasm_sdk.http sends requests, to the URLs that the"
    " pipeline's configuration allows under the plugin's `capabilities`"
)
_PROCESSES = (
    "a plugin starts no processes: do it in Python, or ask a service for it with otelwasm_sdk.http"
)
_THREADS = "a plugin has one thread: work is done in the call, or bit by bit in `tick`"
_LOOP = "a plugin has no event loop: its host calls plain functions, one at a time"
_MEMORY = (
    "the plugin's memory limit is reached: keep less, or raise `limits: {memory: …}` in the"
    " pipeline's configuration"
)
_EXIT = (
    "a plugin does not end itself: `raise Permanent(…)` or `Retryable(…)` refuses what it was given"
)
_RELATIVE = "modules beside plugin.py are imported by their names: `import rules`"
_VIEWS = (
    "what a batch holds is gone through one by one; list(…) makes a list of it, and item.drop()"
    " takes one out of its batch"
)
_LOG = 'what a line of the log is about is given by name: log.info("sent", items=3)'
_RESPONSE = "a response has status, body, headers, header(name), text(), json(), raise_for_status()"
_JSON = "dict(item.attributes) makes a dict of attributes"
_ITEMS = {"Traces": "spans", "Logs": "log_records", "Metrics": "data_points"}

# What is in these modules of Python's fails for one reason, whatever it raises.
_BY_MODULE = {
    "asyncio": _LOOP,
    "subprocess": _PROCESSES,
    "multiprocessing": _PROCESSES,
    "socket": _NETWORK,
    "ssl": _NETWORK,
    "tempfile": _FILES,
}
_NO_LOOP = re.compile(r"'(Traces|Logs|Metrics|Profiles)' object is not (iterable|subscriptable)")
_NO_LIST = re.compile(r"otelwasm_native.Views|sequence index must be integer, not 'slice'")
_NOT_BY_NAME = re.compile(r"(debug|info|warning|error)\(\) takes 1 positional argument")
_STARTS_PROCESSES = ("exec", "fork", "popen", "posix_spawn", "spawn", "system")


def advice_on(error: BaseException) -> str | None:
    """
    One sentence about what led to *error*, if that is something that no plugin has.
    """
    for each in _chain(error):
        if advice := _advice(each):
            return advice
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """
    What *error* began with comes first.
    """
    if error is not None:
        yield from _chain(error.__cause__ or error.__context__)
        yield error


def _advice(error: BaseException) -> str | None:
    modules = [
        frame.f_globals.get("__name__", "").partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, SystemExit):
        return _EXIT
    if isinstance(error, AttributeError):
        return _of_attribute(error)
    if isinstance(error, KeyError):
        name = error.args[0] if error.args else None
        return _environment(name) if modules and modules[-1] == "os" else None
    if isinstance(error, RuntimeError) and "start new thread" in _said(error):
        return _THREADS
    if isinstance(error, OSError | ImportError):
        for module in modules:
            if module in _BY_MODULE:
                return _BY_MODULE[module]
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, ImportError) and "relative import" in _said(error):
        return _RELATIVE
    if isinstance(error, TypeError):
        return _of_type(_said(error))
    if "unable to open database file" in _said(error):
        return _FILES
    return None


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # the author's own, and wrong
        return ""


def _of_attribute(error: AttributeError) -> str | None:
    """
    What these modules have elsewhere, and not in WebAssembly.
    """
    if isinstance(error.obj, Batch):
        return _of_batch(type(error.obj).__name__)
    if isinstance(error.obj, Response):
        return _RESPONSE
    if isinstance(error.obj, native.Views):
        return _VIEWS
    if isinstance(error.obj, ModuleType) and error.obj.__name__.startswith("otelwasm_sdk."):
        return f"{error.obj.__name__} has {', '.join(error.obj.__all__)}"
    of = error.obj.__name__ if isinstance(error.obj, ModuleType) else None
    if of == "os" and (error.name or "").startswith(_STARTS_PROCESSES):
        return _PROCESSES
    if of == "http.client" and error.name == "HTTPSConnection":
        return _NETWORK
    return None


def _of_batch(name: str) -> str:
    items = _ITEMS.get(name, "items")
    return f"batch.proto is the whole message; batch.{items}() has what is in it, one by one"


def _of_type(said: str) -> str | None:
    if match := _NO_LOOP.search(said):
        return _of_batch(match[1])
    if _NO_LIST.search(said):
        return _VIEWS
    if _NOT_BY_NAME.match(said):
        return _LOG
    if "Attributes is not JSON" in said:
        return _JSON
    return None


def _of_system(error: OSError) -> str | None:
    if error.filename is not None:
        return _FILES
    # Without a file's name these come of sockets, and of what is made of them.
    if isinstance(error, PermissionError) or type(error).__name__ in ("gaierror", "URLError"):
        return _NETWORK
    return None


def _environment(name: object) -> str:
    if isinstance(name, bytes):  # as Python looks for it
        name = name.decode(errors="replace")
    return (
        "a plugin has no environment variables: give it a key of its `config`, with"
        f" ${{env:{name}}} as the value in the pipeline's configuration"
    )
