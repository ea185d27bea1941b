"""
Run one component as a plugin: give it batches from any thread, get back what becomes of them.
"""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from otelwasm.errors import PluginStartError
from otelwasm.messages import Message, Reply
from otelwasm.otlp.rejected import Rejected
from otelwasm.plugins._generated import receiving
from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.http import Http
from otelwasm.plugins._generated.processing import VerdictPass, VerdictReplace
from otelwasm.plugins._generated.state import State
from otelwasm.plugins._generated.types import Abilities, Failure
from otelwasm.plugins.capabilities import Capabilities, Emit, Log, Meter, failure_error
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.lane import Lane
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.native_calls import load_native_calls
from otelwasm.plugins.sources import Sources
from otelwasm.plugins.starting import load, name_of, runnable, start
from otelwasm.plugins.stats import PluginStats, total
from otelwasm.plugins.together import all_done
from otelwasm.plugins.values import Err, Ok
from otelwasm.plugins.worker import Worker
from otelwasm.signals import Signal

if TYPE_CHECKING:
    import asyncio

    from otelwasm.plugins.answers import Answers

__all__ = ["Call", "Plugin"]

Call = Literal["tick", "receive", "poll"]

_CALLS: tuple[Call, ...] = ("tick", "receive", "poll")

# On top of a call's own deadline, for what surrounds it: two instances, both started.
_GRACE_S = 30.0


class Plugin:
    """
    A loaded component with its configuration and its instances, each on a thread of its own.

    *source* is a component's file or bytes, a Python plugin's file or folder, which runs as it is,
    or a folder that a component is built from. *config* goes to the plugin's `start` as JSON.
    *emit* takes what the plugin emits, on a worker's thread, and raises PermanentError or
    RetryableError when it cannot; *http* and *state* are what grants those capabilities (PluginHttp
    and PluginState, or your own), and are closed with the plugin. Batches are dealt to the instance
    with the least to do; with one instance they are processed in the order they were submitted.

    Raises ComponentError when *source* is no component of the contract, BuildError when there is no
    plugin in it, PluginStartError when it does not start.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes | Sources,
        *,
        config: Mapping[str, object] | None = None,
        name: str | None = None,
        instances: int = 1,
        limits: Limits | None = None,
        lane: Lane = "auto",
        emit: Emit | None = None,
        log: Log | None = None,
        meter: Meter | None = None,
        http: Http | None = None,
        state: State | None = None,
    ) -> None:
        if instances < 1:
            raise ValueError(f"instances: at least 1, not {instances}")
        self._source = runnable(source)
        if name is None:
            name = name_of(self._source)
        self._name = name
        self._limits = limits or Limits()
        self._config = json.dumps(dict(config or {}))
        self._capabilities = Capabilities(
            name,
            emit=emit,
            log=log,
            meter=meter,
            http=http,
            state=state,
            log_lines_per_second=self._limits.log_lines_per_second,
        )
        self._signals: frozenset[Signal] = frozenset()
        self._calls: frozenset[Call] = frozenset()
        self._workers: list[Worker] = []
        self._answers: Answers | None = None
        self._is_closed = False
        self._native = load_native_calls()
        try:
            self._component = load(self._source, name=name, lane=lane)
            self._workers = [
                Worker(
                    name,
                    self._start_instance,
                    native=self._native,
                    take_panic=self._capabilities.log.take_panic,
                )
                for _ in range(instances)
            ]
            for started in [worker.start() for worker in self._workers]:
                started.result(self._patience_s)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """
        What logs, metrics and errors call it.
        """
        return self._name

    @property
    def world(self) -> str:
        """
        `processor`, `exporter` or `receiver`.
        """
        return self._component.world

    @property
    def lane(self) -> str:
        """
        How bytes cross: `direct` or `bridge`.
        """
        return self._component.lane

    @property
    def signals(self) -> frozenset[Signal]:
        """
        What the plugin's `start` said that it handles.
        """
        return self._signals

    @property
    def calls(self) -> frozenset[Call]:
        """
        Which calls besides batches the plugin's `start` said that it answers.
        """
        return self._calls

    @property
    def stats(self) -> PluginStats:
        """
        Counts over all instances, now.
        """
        return total(worker.stats for worker in self._workers)

    def process(self, signal: Signal, payload: bytes) -> bytes | None:
        """
        Process one batch; wait for the result.

        Returns *payload* itself when the plugin passed it, other bytes when it replaced it, None
        when it dropped it. Raises PermanentError or RetryableError as the plugin says;
        PluginFaultError, a PermanentError, when the call ended two instances.
        """
        return self.submit(signal, payload).result(self._patience_s)

    def submit(
        self, signal: Signal, payload: bytes, *, instance: int | None = None
    ) -> "Future[bytes | None]":
        """
        Process one batch on a worker's thread; what `process` returns or raises is the future's.

        *instance* says which of the instances has to do it (from 0), where that matters.
        Raises ValueError when the plugin is no processor, or the signal is none.
        """
        self._check_world("processor")
        if signal not in self._signals:
            Signal(signal)  # what is none must not pass unseen
            passed: Future[bytes | None] = Future()
            passed.set_result(payload)
            return passed

        worker = self._least_busy() if instance is None else self._workers[instance]
        return worker.submit(lambda running: self._processed(running, signal, payload))

    def process_soon(
        self, signal: Signal, payload: bytes, *, instance: int | None = None
    ) -> "asyncio.Future[bytes | None]":
        """
        What `submit` does, for the event loop that runs: to await there, and with fewer detours.
        """
        # Here, as a program that has no event loop need not import one.
        import asyncio

        loop = asyncio.get_running_loop()
        if self._native is not None and self._answers is None and not self._is_closed:
            from otelwasm.plugins.answers import Answers  # here, as above

            self._answers = Answers(self._native)
        answers = self._answers
        if answers is None or answers.loop is not loop or signal not in self._signals:
            return asyncio.wrap_future(self.submit(signal, payload, instance=instance))
        self._check_world("processor")
        worker = self._least_busy() if instance is None else self._workers[instance]
        return worker.offer(
            signal,
            payload,
            lambda running: self._processed(running, signal, payload),
            answers=answers,
        )

    def send(self, signal: Signal, payload: bytes) -> Rejected | None:
        """
        Have an exporter deliver one batch; wait for its receipt. Raises as `process` does.

        Returns what the other side did not take, and why, if it took the rest; None if it took all.
        """
        return self.submit_send(signal, payload).result(self._patience_s)

    def submit_send(self, signal: Signal, payload: bytes) -> "Future[Rejected | None]":
        """
        What `send` does, on a worker's thread; ValueError when the plugin is no exporter.
        """
        self._check_world("exporter")

        def call(instance: Instance) -> Rejected | None:
            outcome = instance.run(signal, payload)
            if isinstance(outcome, Err):
                raise failure_error(outcome.error, plugin=self._name)
            receipt = outcome.value
            if not isinstance(receipt, Receipt) or not (receipt.rejected or receipt.message):
                return None
            return Rejected(receipt.rejected, receipt.message)

        return self._least_busy().submit(call)

    def receive(self, message: Message) -> Reply:
        """
        Give a receiver one message; wait for its reply. Raises as `process` does.

        A message that ended an instance is given to a second one: what it emitted the first time
        it may emit again.
        """
        return self.submit_receive(message).result(self._patience_s)

    def submit_receive(self, message: Message) -> "Future[Reply]":
        """
        What `receive` does, on a worker's thread; ValueError when the plugin is no receiver.
        """
        self._check_world("receiver")
        given = receiving.Message(
            message.peer, message.method, message.target, message.headers, message.body
        )

        def call(instance: Instance) -> Reply:
            answer = instance.receive(given)
            if isinstance(answer, Err):
                raise failure_error(answer.error, plugin=self._name)
            reply = answer.value
            return Reply(reply.status, reply.body, reply.headers)

        return self._least_busy().submit(call)

    def poll(self) -> float | None:
        """
        Have a receiver look for what is new; the seconds until it wants to be called again, if it
        says. Raises as `process` does.
        """
        return self.submit_poll().result(self._patience_s)

    def submit_poll(self) -> "Future[float | None]":
        """
        What `poll` does, always in the first instance: what it saw last, it remembers there.
        """
        self._check_world("receiver")

        def call(instance: Instance) -> float | None:
            answer = instance.poll()
            if isinstance(answer, Err):
                raise failure_error(answer.error, plugin=self._name)
            return None if answer.value is None else answer.value / 1000

        return self._workers[0].submit(call)

    def tick(self) -> None:
        """
        Call the plugin's `tick` in every instance, between batches; raises as `process` does.
        """
        self.submit_tick().result(self._patience_s)

    def submit_tick(self) -> "Future[None]":
        """
        What `tick` does, on the workers' threads.
        """
        return self._in_every_instance(lambda instance: instance.lifecycle.tick())

    def stop(self) -> None:
        """
        Have every instance emit what it holds back; no batch follows. Raises as `process` does.
        """
        self.submit_stop().result(self._patience_s)

    def submit_stop(self) -> "Future[None]":
        """
        What `stop` does, on the workers' threads.
        """
        return self._in_every_instance(lambda instance: instance.lifecycle.stop())

    def close(self) -> None:
        """
        End all instances and their threads, after what was submitted; twice is safe.
        """
        self._is_closed = True
        for worker in self._workers:
            worker.close(self._patience_s)
        answers, self._answers = self._answers, None
        if answers is not None:
            answers.close()
        self._capabilities.close()

    @property
    def _patience_s(self) -> float:
        return 4 * self._limits.deadline_s + _GRACE_S

    def _check_world(self, wanted: str) -> None:
        if self.world != wanted:
            raise ValueError(f"plugin '{self._name}' is no {wanted}: its world is '{self.world}'")

    def _least_busy(self) -> Worker:
        if len(self._workers) == 1:
            return self._workers[0]
        return min(self._workers, key=lambda worker: worker.waiting)

    def _start_instance(self) -> Instance:
        """
        Make an instance and start the guest in it; on a worker's thread.
        """
        try:
            instance = Instance(
                self._component,
                self._capabilities,
                memory_bytes=self._limits.memory_bytes,
                deadline_s=self._limits.deadline_s,
                output=self._capabilities.log.output,
                native=self._native,
            )
        except Fault as fault:
            raise PluginStartError(f"{fault} (in its start)") from fault
        able = start(instance, self._source, name=self._name, config=self._config)
        self._signals = frozenset(signal for signal in Signal if Abilities[signal.name] in able)
        self._calls = frozenset(call for call in _CALLS if Abilities[call.upper()] in able)
        return instance

    def _processed(self, running: Instance, signal: Signal, payload: bytes) -> bytes | None:
        """
        Process one batch, on a worker's thread.
        """
        outcome = running.run(signal, payload)
        if isinstance(outcome, Err):
            raise failure_error(outcome.error, plugin=self._name)
        verdict = outcome.value
        if isinstance(verdict, VerdictReplace):
            return verdict.value
        return payload if isinstance(verdict, VerdictPass) else None

    def _in_every_instance(
        self, call: Callable[[Instance], Ok[None] | Err[Failure]]
    ) -> "Future[None]":
        def checked(instance: Instance) -> None:
            answer = call(instance)
            if isinstance(answer, Err):
                raise failure_error(answer.error, plugin=self._name)

        return all_done([worker.submit(checked) for worker in self._workers])
