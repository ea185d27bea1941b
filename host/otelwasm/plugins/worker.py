"""
Own one instance and the thread it lives on; put a fresh one in its place after a fault.

    submit ──► inbox ──► thread: call(instance) ──► future
    offer  ──►           (in the direct form without Python, native/inbox.c) ──► event loop
                           │ fault: the instance is closed, a fresh one is started,
                           │        and the call is tried once more
                           │ fault again: PluginFaultError to whoever waits

Wasm never runs on the main thread, and each instance stays on one thread for life.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from otelwasm.errors import BatchError, PluginFaultError, RetryableError, SetupError
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.native_calls import Inbox, NativeCalls
from otelwasm.plugins.stats import WorkerStats

if TYPE_CHECKING:
    import asyncio

    from otelwasm.plugins.answers import Answers

__all__ = ["Worker"]

T = TypeVar("T")
Job = tuple["Future[Any]", Callable[[Instance], Any]]

# How long a plugin that cannot be started again is left alone, in seconds.
RESTART_PAUSE_S = 1.0


class Worker:
    """
    A thread that runs one call after the other in an instance of its own.

    *start_instance* makes an instance and runs the guest's `start` in it; it raises SetupError when
    that fails. *take_panic* is what a plugin said as it ended its instance itself.
    """

    def __init__(
        self,
        name: str,
        start_instance: Callable[[], Instance],
        *,
        native: NativeCalls | None = None,
        take_panic: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._stats = WorkerStats()
        self._name = name
        self._start_instance = start_instance
        self._take_panic = take_panic
        self._instance: Instance | None = None
        self._has_started = False
        self._retry_at = 0.0
        self._native_inbox = None if native is None else native.Inbox()
        self._inbox: Inbox | queue.SimpleQueue[Job | None]
        self._inbox = self._native_inbox or queue.SimpleQueue()
        # Nothing may be put behind the None that ends the thread: it would wait for ever.
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """
        How many calls wait; one that is made without Python counts until it is done.
        """
        return self._inbox.qsize()

    @property
    def stats(self) -> WorkerStats:
        """
        What it did until now.
        """
        instance, inbox = self._instance, self._native_inbox
        memory_bytes = 0 if instance is None else instance.memory_bytes
        stats = attrs.evolve(self._stats, memory_bytes=memory_bytes)
        if inbox is not None:
            stats.calls += inbox.calls
            stats.busy_s += inbox.busy_s
        return stats

    def start(self) -> "Future[None]":
        """
        Start the first instance; the future raises SetupError when it does not start.
        """
        return self.submit(lambda instance: None)

    def submit(self, call: Callable[[Instance], T]) -> "Future[T]":
        """
        Run *call* with the instance on the worker's thread, after what was submitted before.

        Raises RetryableError when the worker is closed.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._is_closed:
                raise RetryableError(f"plugin '{self._name}' is closed")
            self._inbox.put((future, call))
        return future

    def offer(
        self, what: int, payload: bytes, call: Callable[[Instance], object], *, answers: "Answers"
    ) -> "asyncio.Future[Any]":
        """
        What `submit` does, for an event loop: *call* has *payload* run as *what*, and comes to what
        became of it, bytes or None. In most cases it is not needed.
        """
        assert self._native_inbox is not None
        answer = answers.loop.create_future()
        with self._lock:
            if self._is_closed:
                raise RetryableError(f"plugin '{self._name}' is closed")
            self._native_inbox.offer(what, payload, answers.port, answer, call)
        return answer

    def close(self, timeout_s: float) -> None:
        """
        End the instance and the thread, once what was submitted is done; twice is safe.
        """
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._inbox.put(None)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (job := self._inbox.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._attempt(call)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            # What is answered is the caller's: an idle worker keeps no payload alive.
            job = future = call = result = None
        self._let_go()

    def _attempt(self, call: Callable[[Instance], T]) -> T:
        try:
            return self._run(call)
        except Fault as fault:
            self._bury(fault)
        try:
            return self._run(call)
        except Fault as fault:
            text = self._bury(fault)
            raise PluginFaultError(
                f"{text} (in two instances, one after the other)", kind=fault.kind
            ) from fault

    def _run(self, call: Callable[[Instance], T]) -> T:
        instance = self._instance or self._living_instance()
        stats = self._stats
        began = time.perf_counter()
        try:
            return call(instance)
        except BatchError:
            stats.failures += 1
            raise
        finally:
            stats.calls += 1
            stats.busy_s += time.perf_counter() - began

    def _living_instance(self) -> Instance:
        if self._instance is None:
            if time.monotonic() < self._retry_at:
                raise RetryableError(
                    f"plugin '{self._name}' could not be started again a moment ago",
                    after_s=RESTART_PAUSE_S,
                )
            try:
                self._instance = self._start_instance()
            except SetupError as error:
                if not self._has_started:
                    raise
                self._retry_at = time.monotonic() + RESTART_PAUSE_S
                raise RetryableError(str(error), after_s=RESTART_PAUSE_S) from error
            self._stats.restarts += self._has_started
            self._has_started = True
            if self._native_inbox is not None:
                self._native_inbox.use(self._instance.guest)
        return self._instance

    def _bury(self, fault: Fault) -> str:
        """
        Let go of an instance that ended; say what ended it.
        """
        # Here, as it takes long to import.
        import structlog

        panic = self._take_panic()
        text = f"{fault}; it {panic}" if panic else str(fault)
        self._stats.faults[fault.kind] = self._stats.faults.get(fault.kind, 0) + 1
        structlog.get_logger("otelwasm").warning(
            "a plugin's instance ended; a fresh one takes over",
            plugin=self._name,
            kind=fault.kind,
            error=text,
        )
        self._let_go()
        return text

    def _let_go(self) -> None:
        if self._native_inbox is not None:
            self._native_inbox.use(None)
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.close()
