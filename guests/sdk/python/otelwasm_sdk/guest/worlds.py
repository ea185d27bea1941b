"""
The exports of each world, made for one plugin.

componentize-py looks for classes that are named after the exported interfaces, and makes one
object of each while the component is built.
"""

from collections.abc import Callable
from typing import Any

import otelwasm_native as native
from componentize_py_types import Err
from otelwasm_sdk.definition import Kind
from otelwasm_sdk.guest.host import (
    WasmHost,
    direct_emit,
    error_of,
    no_emit,
    typed_emit,
)
from otelwasm_sdk.guest.load import load
from otelwasm_sdk.host import HOST, Host
from otelwasm_sdk.messages import Message
from otelwasm_sdk.report import report_of
from otelwasm_sdk.runner import DROP, PASS, RECEIPT, REPLACE, Outcome, Runner
from otelwasm_sdk.structure import ConfigError
from wit_world.imports import types

__all__ = ["exporter", "processor", "receiver"]


def processor(path: str) -> tuple[type, type, type]:
    """
    Return the classes Lifecycle, Processing and Direct for the processor in the file at *path*.
    """
    from wit_world.exports import processing

    # A host that calls in the integers-only form takes what is emitted in that form, too.
    typed, direct = typed_emit(), direct_emit()
    host = WasmHost(typed)
    runner = _runner(path, "processor", host)

    class Processing:
        def process(self, signal: types.Signal, payload: bytes) -> processing.Verdict:
            host.use(typed)
            outcome = runner.run(signal.value, payload)
            if outcome.kind == PASS:
                return processing.Verdict_Pass()
            if outcome.kind == REPLACE:
                return processing.Verdict_Replace(outcome.data)
            if outcome.kind == DROP:
                return processing.Verdict_Drop()
            raise error_of(outcome)

    return _lifecycle(runner), Processing, _direct(runner, lambda: host.use(direct))


def exporter(path: str) -> tuple[type, type, type]:
    """
    Return the classes Lifecycle, Exporting and Direct for the exporter in the file at *path*.
    """
    from wit_world.exports import exporting

    runner = _runner(path, "exporter", WasmHost(no_emit))

    class Exporting:
        def send(self, signal: types.Signal, payload: bytes) -> exporting.Receipt:
            outcome = runner.run(signal.value, payload)
            if outcome.kind == RECEIPT:
                return exporting.Receipt(outcome.number or 0, outcome.data.decode())
            raise error_of(outcome)

    return _lifecycle(runner), Exporting, _direct(runner, lambda: None)


def receiver(path: str) -> tuple[type, type]:
    """
    Return the classes Lifecycle and Receiving for the receiver in the file at *path*.
    """
    from wit_world.exports import receiving

    runner = _runner(path, "receiver", WasmHost(direct_emit()))

    class Receiving:
        def receive(self, message: receiving.Message) -> receiving.Reply:
            came = Message(
                body=message.body,
                peer=message.peer,
                method=message.method,
                target=message.target,
                headers=tuple(message.headers),
            )
            reply = _typed(runner, lambda: runner.receive(came))
            return receiving.Reply(reply.status, list(reply.headers), reply.body)

        def poll(self) -> int | None:
            wait_s = _typed(runner, runner.poll)
            return None if wait_s is None else max(0, round(wait_s * 1000))

    return _lifecycle(runner), Receiving


def _runner(path: str, kind: Kind, host: Host) -> Runner:
    runner = Runner(*load(path, kind), host)
    # For good, now that the plugin is imported: a component has one host.
    HOST.set(host)
    return runner


def _lifecycle(runner: Runner) -> type:
    class Lifecycle:
        def start(self, config: str) -> types.Abilities:
            try:
                runner.start(config)
            except ConfigError as error:
                raise Err(str(error)) from None
            except BaseException as error:
                raise Err(report_of(error, runner.folder).full) from None
            definition = runner.definition
            names = [*(signal.name for signal in definition.signals), *definition.calls]
            return types.Abilities(sum(types.Abilities[name.upper()].value for name in names))

        def tick(self) -> None:
            _typed(runner, runner.tick)

        def stop(self) -> None:
            _typed(runner, runner.stop)

    return Lifecycle


def _direct(runner: Runner, begin: Callable[[], None]) -> type:
    """
    Return the class Direct; *begin* is called before its first batch.
    """

    class Direct:
        # In C, which calls the runner itself: each frame here costs as much as a small batch.
        reserve = staticmethod(native.reserve)
        run = staticmethod(native.run)

    def first(signal: int, payload: bytes) -> Outcome:
        begin()
        native.answer_with(runner.run)
        return runner.run(signal, payload)

    native.answer_with(first)
    return Direct


def _typed(runner: Runner, action: Callable[[], Any]) -> Any:
    """
    Run *action*; raise what it raises as a typed failure.
    """
    try:
        return action()
    except BaseException as error:
        raise error_of(runner.failed(error)) from None
