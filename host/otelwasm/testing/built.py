"""
Run a component in a trial, as a pipeline runs it, with the test in the place of what is around it.
"""

import os
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.messages import Message as HostMessage
from otelwasm.plugins._generated import http
from otelwasm.plugins._generated.types import Attributes, Failure
from otelwasm.plugins.capabilities import failure_of
from otelwasm.plugins.lane import Lane
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal as HostSignal
from otelwasm_sdk.definition import Kind
from otelwasm_sdk.failures import Failure as Refusal
from otelwasm_sdk.failures import Permanent, Retryable
from otelwasm_sdk.host import Host, Level
from otelwasm_sdk.http import Refused, TimedOut
from otelwasm_sdk.messages import Message, Reply, Request
from otelwasm_sdk.runner import DROP, PASS, RECEIPT, REPLACE, Outcome
from otelwasm_sdk.signals import Signal

__all__ = ["BuiltPlugin"]

_T = TypeVar("_T")

# A test wants to see all of them.
_LIMITS = Limits(log_lines_per_second=1 << 30)


class BuiltPlugin:
    """
    A component, or the sources at *source*, which run as they are or are built (once).

    What the plugin asks for goes to *host*. An error in there that is no failure comes through to
    the test once the call is over: it's the test's own.
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        config: object,
        host: Host,
        *,
        lane: Lane = "auto",
    ) -> None:
        if config is not None and not isinstance(config, Mapping):
            raise TypeError(
                "a component gets its configuration as in a pipeline: give a mapping, not a "
                f"{type(config).__name__}"
            )
        self._host = host
        self._watch = _Watch()
        self._plugin = Plugin(
            source,
            config=config,
            limits=_LIMITS,
            lane=lane,
            emit=self._emit,
            log=self._log,
            meter=self._meter,
            http=_Http(host, self._watch),
            state=_State(host, self._watch),
        )
        self.kind = cast("Kind", self._plugin.world)
        self.name = self._plugin.name

    def process(self, signal: Signal, payload: bytes) -> Outcome:
        """
        Let a processor or an exporter handle one batch.
        """
        there = HostSignal(signal)
        if self.kind == "processor":
            changed = self._call(lambda: self._plugin.process(there, payload))
            if changed is None:
                return Outcome(DROP)
            return Outcome(PASS) if changed is payload else Outcome(REPLACE, changed)
        rejected = self._call(lambda: self._plugin.send(there, payload))
        if rejected is None:
            return Outcome(RECEIPT, b"", 0)
        return Outcome(RECEIPT, rejected.message.encode(), rejected.count)

    def receive(self, message: Message) -> Reply:
        """
        Let a receiver handle one message.
        """
        given = HostMessage(
            message.body,
            peer=message.peer,
            method=message.method,
            target=message.target,
            headers=message.headers,
        )
        reply = self._call(lambda: self._plugin.receive(given))
        return Reply(reply.status, reply.body, reply.headers)

    def poll(self) -> float | None:
        """
        Let a receiver look for something new.
        """
        return self._call(self._plugin.poll)

    def tick(self) -> None:
        """
        Let the plugin do what is due.
        """
        self._call(self._plugin.tick)

    def stop(self) -> None:
        """
        Let the plugin finish, and end it.
        """
        try:
            self._call(self._plugin.stop)
        finally:
            self.close()

    def close(self) -> None:
        """
        End it; twice is safe.
        """
        self._plugin.close()

    def _call(self, call: Callable[[], _T]) -> _T:
        """
        Call the component; raise its failures as plain Python would.
        """
        prefix = f"plugin '{self.name}': "
        try:
            return call()
        except PluginFaultError:
            raise
        except PermanentError as error:
            raise Permanent(str(error).removeprefix(prefix)) from None
        except RetryableError as error:
            raise Retryable(str(error).removeprefix(prefix), after_s=error.after_s) from None
        finally:
            self._watch.raise_first()

    def _emit(self, signal: HostSignal, payload: bytes) -> None:
        try:
            self._watch.run(lambda: self._host.emit(Signal(signal), payload))
        except Retryable as failure:
            raise RetryableError(str(failure), after_s=failure.after_s) from None
        except Refusal as failure:
            raise PermanentError(str(failure)) from None

    def _log(self, level: str, message: str, attributes: Attributes) -> None:
        # As the plugin wrote it, without what a log does to show that a line goes on.
        self._host.log(cast("Level", level), message.replace("\n  | ", "\n"), attributes)

    def _meter(self, kind: str, name: str, value: float, attributes: Attributes) -> None:
        record = self._host.add if kind == "add" else self._host.observe
        record(name, value, attributes)


class _Watch:
    """
    Keeps what goes wrong in a test's own code while a component calls it.
    """

    def __init__(self) -> None:
        self._errors: list[BaseException] = []

    def run(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except Refusal:
            raise
        except BaseException as error:
            self._errors.append(error)
            raise

    def raise_first(self) -> None:
        errors, self._errors = self._errors, []
        if errors:
            raise errors[0]


class _Http:
    """
    The host's `http`, answered by a test.
    """

    def __init__(self, host: Host, watch: _Watch) -> None:
        self._host = host
        self._watch = watch

    def send(self, request: http.Request) -> Ok[http.Response] | Err[http.Error]:
        asked = Request(
            request.method,
            request.url,
            request.headers,
            request.body,
            request.timeout_ms / 1000,
        )
        try:
            response = self._watch.run(lambda: self._host.http_send(asked))
        except TimedOut:
            return Err(http.ErrorTimeout())
        except Refused as failure:
            return Err(http.ErrorRefused(str(failure)))
        except Refusal as failure:
            return Err(http.ErrorFailed(str(failure)))
        return Ok(http.Response(response.status, response.headers, response.body))


class _State:
    """
    The host's `state`, kept by a test.
    """

    def __init__(self, host: Host, watch: _Watch) -> None:
        self._host = host
        self._watch = watch

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        return self._answered(lambda: self._host.state_get(key))

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        return self._answered(lambda: self._host.state_set(key, value))

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        return self._answered(lambda: self._host.state_delete(key))

    def _answered(self, call: Callable[[], _T]) -> Ok[_T] | Err[Failure]:
        try:
            return Ok(self._watch.run(call))
        except Retryable as failure:
            return Err(failure_of(RetryableError(str(failure), after_s=failure.after_s)))
        except Refusal as failure:
            return Err(failure_of(PermanentError(str(failure))))
