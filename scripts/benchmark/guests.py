"""
Build the benchmark's plugins, and run one without a thread or with.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from benchmark.payloads import payload
from otelwasm import Plugin, Signal
from otelwasm.build import build
from otelwasm.plugins._generated.http import Http
from otelwasm.plugins._generated.state import State
from otelwasm.plugins.capabilities import Capabilities
from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.native_calls import load_native_calls
from otelwasm.plugins.values import Ok

__all__ = ["Guests", "Lane"]

Lane = Literal["bridge", "direct"]
Run = Callable[[bytes], object]

_SOURCES = Path(__file__).parent / "plugins"
_EXAMPLES = Path(__file__).resolve().parents[2] / "guests"
_MEMORY_BYTES = 1 << 30
_DEADLINE_S = 60.0


class Guests:
    """
    Runs plugins until it is closed.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._open = ExitStack()

    @classmethod
    @contextmanager
    def open(cls, report: Callable[[str], None]) -> Iterator["Guests"]:
        """
        Run what is asked for, until the block ends.
        """
        guests = cls(report)
        with guests._open:
            yield guests

    def built(self, name: str) -> Path:
        """
        Build plugins/*name*.py, or the folder plugins/*name*, or guests/*name*.
        """
        return build(self.source(name), report=self._report)

    def source(self, name: str) -> Path:
        """
        What `built` builds.
        """
        found = (_SOURCES / f"{name}.py", _SOURCES / name, _EXAMPLES / name)
        return next(path for path in found if path.exists())

    def instance(
        self,
        name: str,
        lane: Lane,
        *,
        http: Http | None = None,
        state: State | None = None,
        **config: object,
    ) -> Run:
        """
        Run one instance here, without a thread, so that the boundary alone is measured.
        """
        wasm = self.built(name)
        component = Component.load(wasm, name=name, lane=lane)
        capabilities = Capabilities(
            name, emit=_take, log=_take, meter=_take, http=http, state=state
        )
        self._open.callback(capabilities.close)
        instance = self._open.enter_context(
            Instance(
                component,
                capabilities,
                memory_bytes=_MEMORY_BYTES,
                deadline_s=_DEADLINE_S,
                native=load_native_calls(),
            )
        )
        started = instance.lifecycle.start(json.dumps(config))
        if not isinstance(started, Ok):
            raise RuntimeError(f"{name}: {started}")
        answer = instance.run(Signal.TRACES, payload(1))
        if not isinstance(answer, Ok):
            raise RuntimeError(f"{name}: {answer}")
        return lambda data: instance.run(Signal.TRACES, data)

    def plugin(self, name: str, lane: Lane, **config: object) -> Run:
        """
        Run a Plugin with one instance, as a program does: each call changes threads twice.
        """
        wasm = self.built(name)
        plugin = self._open.enter_context(Plugin(wasm, config=config, lane=lane, emit=_take))
        return lambda data: plugin.process(Signal.TRACES, data)


def _take(*_: object) -> None:
    pass
