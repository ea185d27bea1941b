"""
Refuse malformed requests before a batch is made of them: exactly what protobuf would refuse.

A batch that is not well-formed must be refused to its own sender, or it would spoil those it is
joined with. Our C extension walks the bytes along OTLP's schema in a third of the time that
protobuf's parser takes (1,000 spans, 428 KB: 0.4 ms, not 1.4 ms). It never accepts what the parser
refuses; what it refuses itself is left to the parser to decide, and to put into words. Where the
extension is not built yet, or cannot be, the parser checks everything.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import cast

import structlog

from otelwasm.errors import BuildError, SetupError
from otelwasm.otlp import wire
from otelwasm.signals import Signal

__all__ = ["PayloadCheck"]

_log = structlog.get_logger(__name__)

_NativeCheck = Callable[[bytes, Signal], int]
_ONE_LOADS = threading.Lock()
_BUILD = """
import sys
from otelwasm.build.native import host_extension
from otelwasm.errors import SetupError
try:
    print(host_extension())
except (SetupError, OSError) as error:
    sys.exit(str(error))
"""


class PayloadCheck:
    """
    Raises PermanentError for a payload that is no request of its signal; counts what is in others.
    """

    def __init__(self) -> None:
        self._native: _NativeCheck | None = None

    def __call__(self, signal: Signal, payload: bytes) -> int:
        """
        Return how many items *payload* holds, if it is well-formed.
        """
        if self._native is not None:
            try:
                return self._native(payload, signal)
            except ValueError:
                pass
        wire.refuse_malformed(signal, payload)
        return wire.count_items(signal, payload)

    def load(self) -> None:
        """
        Load the extension, built first where the cache does not hold it; that takes seconds.
        """
        with _ONE_LOADS:
            self._native = _native_check()

    def load_soon(self) -> None:
        """
        Load the extension on a thread of its own; until then protobuf checks.
        """
        # A daemon: nobody has to wait for it, least of all a program that wants to end.
        threading.Thread(target=self.load, name="payload check", daemon=True).start()


@cache
def _native_check() -> _NativeCheck | None:
    from otelwasm.build.extension import load_extension
    from otelwasm.build.native import built_host_extension

    try:
        module = load_extension(built_host_extension() or _build())
    except (SetupError, ImportError, OSError) as error:
        _log.info("requests are checked the slower way", reason=str(error))
        return None
    return cast(_NativeCheck, module.check)


def _build() -> Path:
    """
    Build in another process: this one may end meanwhile, and would have to wait for the compilers.
    """
    done = subprocess.run(
        [sys.executable, "-c", _BUILD],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise BuildError(f"its extension could not be built: {done.stdout.strip()[-500:]}")
    return Path(done.stdout.strip())
