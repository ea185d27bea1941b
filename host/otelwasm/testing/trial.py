"""
Lead one plugin through its life, in place of a host.
"""

import json
import os
from collections.abc import Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Protocol, Self

import attrs
from google.protobuf.message import Message as ProtoMessage

from otelwasm.plugins.lane import Lane
from otelwasm.testing.making import batch_of
from otelwasm.words import with_article
from otelwasm_sdk.batch import Batch
from otelwasm_sdk.definition import Kind, define
from otelwasm_sdk.failures import Permanent
from otelwasm_sdk.host import Level, Pairs
from otelwasm_sdk.http import Refused, Request, Response
from otelwasm_sdk.messages import Message, Receipt, Reply
from otelwasm_sdk.runner import DROP, PASS, Outcome, Runner
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.signature import BATCHES

__all__ = ["HttpFake", "LogLine", "Measurement", "Trial", "run"]

HttpFake = Callable[[Request], Response] | Mapping[str, Response | Exception]


@attrs.frozen
class LogLine:
    """
    What a plugin wrote to the log.
    """

    level: Level
    message: str
    attributes: dict[str, str]


@attrs.frozen
class Measurement:
    """
    What a plugin added to a counter, or observed.
    """

    name: str
    value: float
    attributes: dict[str, str]


class Trial:
    """
    One plugin in the hands of a test.

    *plugin* is a function or class: plain Python, no Wasm. Or it's the path of a component, or
    of a Python file or folder, which runs in Wasm as it is (or of another folder, that a component
    is built from): then the trial does the same with that, and ends it with `stop`, or at the end
    of `with`.

    *config* is what a pipeline's configuration would hold, or an object of the plugin's own
    configuration class. *http* answers requests: a function, or a response (or an exception) for
    each URL. *state* holds what the plugin keeps. What is not given is not granted. *lane* is how
    bytes cross into a component.

    `refuse_with` makes the next emits fail, as a full queue would. What plain Python raises comes
    through as it is; of a component, its failures do, and its bugs as the failures they become.
    """

    def __init__(
        self,
        plugin: Callable[..., Any] | str | os.PathLike[str],
        *,
        config: object = None,
        http: HttpFake | None = None,
        state: MutableMapping[str, bytes] | None = None,
        lane: Lane = "auto",
    ) -> None:
        self.emitted: list[Batch[Any]] = []
        self.logged: list[LogLine] = []
        self.added: list[Measurement] = []
        self.observed: list[Measurement] = []
        self.requested: list[Request] = []
        self.refuse_with: Exception | None = None
        self.http = http
        self.state = state
        self._is_stopped = False
        host = _FakeHost(self)
        self._plugin: _Driven
        if isinstance(plugin, str | os.PathLike):
            # Only here is Wasm needed.
            from otelwasm.testing.built import BuiltPlugin

            built = BuiltPlugin(plugin, config, host, lane=lane)
            self._plugin, self._kind, self._name = built, built.kind, built.name
            self._close = built.close
        else:
            definition = define(plugin)
            runner = Runner(definition, "", host)
            is_plain = config is None or isinstance(config, Mapping)
            runner.start(json.dumps(config or {}) if is_plain else config)
            self._plugin, self._kind, self._name = runner, definition.kind, definition.name
            self._close = _nothing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and not self._is_stopped:
            self.stop()
        self._close()

    @property
    def kind(self) -> Kind:
        """
        `processor`, `exporter` or `receiver`.
        """
        return self._kind

    def process(self, batch: Batch[Any] | ProtoMessage) -> Batch[Any] | None:
        """
        Let a processor process a batch, or one item alone; return what it sends on.
        """
        self._only("processor")
        came = batch_of(batch)
        payload = bytes(came)
        outcome = self._plugin.process(came.signal, payload)
        if outcome.kind == DROP:
            return None
        return type(came)(payload if outcome.kind == PASS else outcome.data)

    def send(self, batch: Batch[Any] | ProtoMessage) -> Receipt:
        """
        Let an exporter deliver a batch, or one item alone.
        """
        self._only("exporter")
        came = batch_of(batch)
        outcome = self._plugin.process(came.signal, bytes(came))
        return Receipt(outcome.number or 0, outcome.data.decode())

    def receive(self, message: Message) -> Reply:
        """
        Let a receiver handle one message; `a_message` makes some.
        """
        self._only("receiver")
        if not isinstance(message, Message):
            raise TypeError(f"give a Message, as a_message(...), not a {type(message).__name__}")
        return self._plugin.receive(message)

    def poll(self) -> float | None:
        """
        Let a receiver look for something new; return the seconds until it wants to again.
        """
        self._only("receiver")
        return self._plugin.poll()

    def tick(self) -> None:
        """
        Let the plugin do what is due.
        """
        self._plugin.tick()

    def stop(self) -> None:
        """
        Let the plugin finish.
        """
        self._is_stopped = True
        self._plugin.stop()

    def close(self) -> None:
        """
        End a component without letting it finish; twice is safe.
        """
        self._close()

    def _only(self, kind: Kind) -> None:
        if self._kind != kind:
            what = with_article(self._kind)
            raise TypeError(f"{self._name!r} is {what}: use {_METHODS[self._kind]}")


_METHODS: dict[Kind, str] = {
    "processor": ".process(batch)",
    "exporter": ".send(batch)",
    "receiver": ".receive(message) or .poll()",
}


class _Driven(Protocol):
    """
    A plugin that is plain Python or a component.
    """

    def process(self, signal: Signal, payload: bytes) -> Outcome: ...
    def receive(self, message: Message) -> Reply: ...
    def poll(self) -> float | None: ...
    def tick(self) -> None: ...
    def stop(self) -> None: ...


def _nothing() -> None:
    """
    What there is to close of plain Python.
    """


class _FakeHost:
    """
    What is around a plugin in a trial.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def emit(self, signal: Signal, payload: bytes) -> None:
        if self._trial.refuse_with is not None:
            raise self._trial.refuse_with
        self._trial.emitted.append(BATCHES[signal](payload))

    def log(self, level: Level, message: str, attributes: Pairs) -> None:
        self._trial.logged.append(LogLine(level, message, dict(attributes)))

    def add(self, name: str, amount: float, attributes: Pairs) -> None:
        self._trial.added.append(Measurement(name, amount, dict(attributes)))

    def observe(self, name: str, value: float, attributes: Pairs) -> None:
        self._trial.observed.append(Measurement(name, value, dict(attributes)))

    def http_send(self, request: Request) -> Response:
        self._trial.requested.append(request)
        fake = self._trial.http
        if fake is None:
            raise Refused("`http` is not granted; in a test, give Trial(..., http=) an answer")
        if not isinstance(fake, Mapping):
            answer: object = fake(request)
        elif request.url in fake:
            answer = fake[request.url]
        else:
            known = ", ".join(fake) or "none"
            raise Refused(f"{request.url} is not among the URLs of this test: {known}")
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Response):
            raise TypeError(f"http= answers with an http.Response, not {type(answer).__name__}")
        return answer

    def state_get(self, key: str) -> bytes | None:
        return self._state.get(key)

    def state_set(self, key: str, value: bytes) -> None:
        self._state[key] = value

    def state_delete(self, key: str) -> None:
        self._state.pop(key, None)

    @property
    def _state(self) -> MutableMapping[str, bytes]:
        if self._trial.state is None:
            raise Permanent("`state` is not granted; in a test, give Trial(..., state={})")
        return self._trial.state


def run(
    plugin: Callable[..., Any] | str | os.PathLike[str],
    batch: Batch[Any] | ProtoMessage,
    *,
    config: object = None,
) -> Any:
    """
    Let *plugin* process one batch, or one item alone; return what it sends on, None for nothing.
    """
    trial = Trial(plugin, config=config)
    try:
        return trial.process(batch)
    finally:
        trial.close()
