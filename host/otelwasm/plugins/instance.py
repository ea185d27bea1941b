"""
Run one instance of a plugin of the contract: a processor, an exporter or a receiver.
"""

from collections.abc import Callable

from otelwasm.plugins._generated.exporting import Exporting
from otelwasm.plugins._generated.lifecycle import Lifecycle
from otelwasm.plugins._generated.processing import Processing
from otelwasm.plugins._generated.receiver import Host
from otelwasm.plugins._generated.receiving import Message, Receiving, Reply
from otelwasm.plugins._generated.types import Failure
from otelwasm.plugins.component import Component
from otelwasm.plugins.direct import Direct, Result
from otelwasm.plugins.direct_host import DirectHost
from otelwasm.plugins.native_calls import Guest, NativeCalls
from otelwasm.plugins.sandbox import Sandbox
from otelwasm.plugins.sources import Sources, load_sources
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal

__all__ = ["Instance"]


class Instance:
    """
    A plugin at work, on one thread only. A Fault ends it: every later call says so.

    *native* is the C module that makes calls in the direct form, where there is one.
    """

    def __init__(
        self,
        component: Component,
        host: Host,
        *,
        memory_bytes: int,
        deadline_s: float,
        output: Callable[[str, bytes], None] | None = None,
        native: NativeCalls | None = None,
    ) -> None:
        self._world = component.world
        self._budget_bytes = memory_bytes
        direct_host = DirectHost(host, world=component.world, budget_bytes=memory_bytes)
        self._sandbox = Sandbox(
            component,
            host,
            memory_bytes=memory_bytes,
            deadline_s=deadline_s,
            output=output,
            integers=direct_host.integers,
        )
        direct_host.attach(self._sandbox)
        self._direct = None
        if component.has_direct and component.lane == "direct":
            self._direct = Direct(
                self._sandbox, world=self._world, budget_bytes=memory_bytes, native=native
            )
        self.lifecycle = Lifecycle(self._sandbox)
        if self._world == "processor":
            self.processing = Processing(self._sandbox)
        elif self._world == "exporter":
            self.exporting = Exporting(self._sandbox)
        else:
            self.receiving = Receiving(self._sandbox)

    @property
    def guest(self) -> Guest | None:
        """
        What a worker can call without Python, if there is such a thing.
        """
        return None if self._direct is None else self._direct.guest

    @property
    def memory_bytes(self) -> int:
        """
        What the plugin's memories hold now.
        """
        return self._sandbox.memory_bytes

    @property
    def is_dead(self) -> bool:
        """
        Has a fault, or `close`, ended this instance?
        """
        return self._sandbox.is_dead

    @property
    def host_errors(self) -> int:
        """
        Exceptions of the host's own functions that were answered as failures.
        """
        return self._sandbox.host_errors

    def __enter__(self) -> "Instance":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Free the instance; twice is safe.
        """
        self._sandbox.close()

    def load(self, sources: Sources) -> str | None:
        """
        Make a runner the plugin that *sources* are; returns what it answers if it cannot be.
        """
        return load_sources(self._sandbox, sources, budget_bytes=self._budget_bytes)

    def run(self, signal: Signal, payload: bytes) -> Result:
        """
        Process or send one batch, in the form that is fastest for this plugin.
        """
        if self._direct is not None:
            return self._direct.run(signal, payload)
        if self._world == "processor":
            return self.processing.process(signal, payload)
        return self.exporting.send(signal, payload)

    def receive(self, message: Message) -> Ok[Reply] | Err[Failure]:
        """
        Let a receiver handle one message, in the form that is fastest for this plugin.
        """
        if self._direct is not None:
            return self._direct.receive(message)
        return self.receiving.receive(message)

    def poll(self) -> Ok[int | None] | Err[Failure]:
        """
        Let a receiver look for what is new; the milliseconds until it wants to be called again.
        """
        if self._direct is not None:
            return self._direct.poll()
        return self.receiving.poll()
