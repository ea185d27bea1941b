"""
The exports of each world, made for one plugin.

componentize-py looks for classes that are named after the exported interfaces, and makes one
object of each while the component is built.
"""

from collections.abc import Callable, Sequence
from typing import Any

import otelwasm_native as native
from componentize_py_types import Err
from otelwasm_sdk.definition import Definition, Kind
from otelwasm_sdk.failures import Failure
from otelwasm_sdk.guest.host import WasmHost, sayable
from otelwasm_sdk.guest.library import open_library
from otelwasm_sdk.guest.load import (
    RefusalError,
    load,
    load_from_memory,
    or_refuse,
    prepare,
    settle,
)
from otelwasm_sdk.guest.typed import error_of
from otelwasm_sdk.host import HOST
from otelwasm_sdk.messages import Message
from otelwasm_sdk.parts import unpack
from otelwasm_sdk.report import report_of
from otelwasm_sdk.runner import (
    DROP,
    PASS,
    PERMANENT,
    RECEIPT,
    REPLACE,
    Outcome,
    Runner,
    milliseconds,
)
from otelwasm_sdk.structure import ConfigError
from wit_world.imports import types

__all__ = ["exports", "runner_exports"]


class _Plugin:
    """
    The plugin behind the exports: known while the component is made or, in a runner, later.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.host = WasmHost(kind)
        self._runner: Runner | None = None

    @property
    def runner(self) -> Runner:
        """
        What runs it.
        """
        if self._runner is None:
            raise ConfigError("a runner has no plugin before its host calls `sources.load`")
        return self._runner

    def run(self, definition: Definition, folder: str) -> None:
        """
        Let it be this one, whose code is in *folder*.
        """
        self._runner = runner = Runner(definition, folder, self.host)
        answer = runner.answer if self.kind == "receiver" else runner.run

        def first(what: int, data: bytes) -> Outcome:
            self.host.use_direct()
            native.answer_with(answer)
            return answer(what, data)

        native.answer_with(first)
        # For good, now that the plugin is imported: a component has one host.
        HOST.set(self.host)


def exports(kind: Kind, path: str) -> tuple[type, ...]:
    """
    Return the classes Lifecycle, the kind's own and Direct for the plugin in the file at *path*.
    """
    plugin = _Plugin(kind)
    plugin.run(*or_refuse(lambda: load(path, kind)))
    return _classes(plugin)


def runner_exports(kind: Kind, packages: Sequence[str]) -> tuple[type, ...]:
    """
    Return the same classes, and Sources, for a plugin that is yet to come; it may use *packages*.
    """
    plugin = _Plugin(kind)
    extra = open_library(packages)
    prepare()
    settle()

    def loaded(_what: int, data: bytes) -> Outcome:
        parts = iter(unpack(data))
        files = {name.decode(): next(parts) for name in parts}
        try:
            found = load_from_memory(files, kind, extra=extra)
        except RefusalError as refusal:
            return Outcome(PERMANENT, str(refusal).encode())
        plugin.run(*found)
        return Outcome(PASS)

    class Sources:
        def load(self, length: int) -> int:
            native.answer_with(loaded)
            return native.run(0, length)

    return (*_classes(plugin), Sources)


def _classes(plugin: _Plugin) -> tuple[type, ...]:
    class Direct:
        # In C, which calls the runner itself: each frame here costs as much as a small batch.
        reserve = staticmethod(native.reserve)
        run = staticmethod(native.run)

    return _lifecycle(plugin), _OWN[plugin.kind](plugin), Direct


def _processing(plugin: _Plugin) -> type:
    from wit_world.exports import processing

    class Processing:
        def process(self, signal: types.Signal, payload: bytes) -> processing.Verdict:
            plugin.host.use_typed()
            outcome = plugin.runner.run(signal.value, payload)
            if outcome.kind == PASS:
                return processing.Verdict_Pass()
            if outcome.kind == REPLACE:
                return processing.Verdict_Replace(outcome.data)
            if outcome.kind == DROP:
                return processing.Verdict_Drop()
            raise error_of(outcome)

    return Processing


def _exporting(plugin: _Plugin) -> type:
    from wit_world.exports import exporting

    class Exporting:
        def send(self, signal: types.Signal, payload: bytes) -> exporting.Receipt:
            plugin.host.use_typed()
            outcome = plugin.runner.run(signal.value, payload)
            if outcome.kind == RECEIPT:
                return exporting.Receipt(outcome.number or 0, outcome.data.decode())
            raise error_of(outcome)

    return Exporting


def _receiving(plugin: _Plugin) -> type:
    from wit_world.exports import receiving

    class Receiving:
        def receive(self, message: receiving.Message) -> receiving.Reply:
            plugin.host.use_typed()
            came = Message(
                body=message.body,
                peer=message.peer,
                method=message.method,
                target=message.target,
                headers=tuple(message.headers),
            )
            reply = _typed(plugin, lambda: plugin.runner.reply_to(came))
            return receiving.Reply(reply.status, list(reply.headers), reply.body)

        def poll(self) -> int | None:
            plugin.host.use_typed()
            wait_s = _typed(plugin, plugin.runner.poll)
            return None if wait_s is None else milliseconds(wait_s)

    return Receiving


_OWN: dict[Kind, Callable[[_Plugin], type]] = {
    "processor": _processing,
    "exporter": _exporting,
    "receiver": _receiving,
}


def _lifecycle(plugin: _Plugin) -> type:
    class Lifecycle:
        def start(self, config: str) -> types.Abilities:
            try:
                runner = plugin.runner
                runner.start(config)
            except ConfigError as error:
                raise Err(sayable(str(error))) from None
            except Failure as failure:
                raise Err(sayable(runner.reason(failure))) from None
            except BaseException as error:
                report = report_of(error, runner.folder)
                raise Err(sayable(f"{report.summary}\n{report.full}")) from None
            definition = runner.definition
            names = [*(signal.name for signal in definition.signals), *definition.calls]
            return types.Abilities(sum(types.Abilities[name.upper()].value for name in names))

        def tick(self) -> None:
            _typed(plugin, plugin.runner.tick)

        def stop(self) -> None:
            _typed(plugin, plugin.runner.stop)

    return Lifecycle


def _typed(plugin: _Plugin, action: Callable[[], Any]) -> Any:
    """
    Run *action*; raise what it raises as a typed failure.
    """
    try:
        return action()
    except BaseException as error:
        raise error_of(plugin.runner.failed(error)) from None
