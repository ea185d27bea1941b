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
from otelwasm_sdk.guest.host import WasmHost, sayable
from otelwasm_sdk.guest.load import load
from otelwasm_sdk.guest.typed import error_of
from otelwasm_sdk.host import HOST
from otelwasm_sdk.messages import Message
from otelwasm_sdk.report import report_of
from otelwasm_sdk.runner import DROP, PASS, RECEIPT, REPLACE, Outcome, Runner, milliseconds
from otelwasm_sdk.structure import ConfigError
from wit_world.imports import types

__all__ = ["exporter", "processor", "receiver"]


def processor(path: str) -> tuple[type, type, type]:
    """
    Return the classes Lifecycle, Processing and Direct for the processor in the file at *path*.
    """
    from wit_world.exports import processing

    runner, host = _runner(path, "processor")

    class Processing:
        def process(self, signal: types.Signal, payload: bytes) -> processing.Verdict:
            host.use_typed()
            outcome = runner.run(signal.value, payload)
            if outcome.kind == PASS:
                return processing.Verdict_Pass()
            if outcome.kind == REPLACE:
                return processing.Verdict_Replace(outcome.data)
            if outcome.kind == DROP:
                return processing.Verdict_Drop()
            raise error_of(outcome)

    return _lifecycle(runner), Processing, _direct(host, runner.run)


def exporter(path: str) -> tuple[type, type, type]:
    """
    Return the classes Lifecycle, Exporting and Direct for the exporter in the file at *path*.
    """
    from wit_world.exports import exporting

    runner, host = _runner(path, "exporter")

    class Exporting:
        def send(self, signal: types.Signal, payload: bytes) -> exporting.Receipt:
            host.use_typed()
            outcome = runner.run(signal.value, payload)
            if outcome.kind == RECEIPT:
                return exporting.Receipt(outcome.number or 0, outcome.data.decode())
            raise error_of(outcome)

    return _lifecycle(runner), Exporting, _direct(host, runner.run)


def receiver(path: str) -> tuple[type, type, type]:
    """
    Return the classes Lifecycle, Receiving and Direct for the receiver in the file at *path*.
    """
    from wit_world.exports import receiving

    runner, host = _runner(path, "receiver")

    class Receiving:
        def receive(self, message: receiving.Message) -> receiving.Reply:
            host.use_typed()
            came = Message(
                body=message.body,
                peer=message.peer,
                method=message.method,
                target=message.target,
                headers=tuple(message.headers),
            )
            reply = _typed(runner, lambda: runner.reply_to(came))
            return receiving.Reply(reply.status, list(reply.headers), reply.body)

        def poll(self) -> int | None:
            host.use_typed()
            wait_s = _typed(runner, runner.poll)
            return None if wait_s is None else milliseconds(wait_s)

    return _lifecycle(runner), Receiving, _direct(host, runner.answer)


def _runner(path: str, kind: Kind) -> tuple[Runner, WasmHost]:
    host = WasmHost(kind)
    runner = Runner(*load(path, kind), host)
    # For good, now that the plugin is imported: a component has one host.
    HOST.set(host)
    return runner, host


def _lifecycle(runner: Runner) -> type:
    class Lifecycle:
        def start(self, config: str) -> types.Abilities:
            try:
                runner.start(config)
            except ConfigError as error:
                raise Err(sayable(str(error))) from None
            except BaseException as error:
                raise Err(sayable(report_of(error, runner.folder).full)) from None
            definition = runner.definition
            names = [*(signal.name for signal in definition.signals), *definition.calls]
            return types.Abilities(sum(types.Abilities[name.upper()].value for name in names))

        def tick(self) -> None:
            _typed(runner, runner.tick)

        def stop(self) -> None:
            _typed(runner, runner.stop)

    return Lifecycle


def _direct(host: WasmHost, answer: Callable[[int, bytes], Outcome]) -> type:
    """
    Return the class Direct, whose `run` is answered by *answer*.
    """

    class Direct:
        # In C, which calls the runner itself: each frame here costs as much as a small batch.
        reserve = staticmethod(native.reserve)
        run = staticmethod(native.run)

    def first(what: int, data: bytes) -> Outcome:
        host.use_direct()
        native.answer_with(answer)
        return answer(what, data)

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
