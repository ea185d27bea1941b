"""
Run a plugin as its host asks: start, one batch, tick, stop. What it raises becomes an outcome.
"""

import json
import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.definition import Call, Definition
from otelwasm_sdk.failures import Failure, Permanent, Retryable
from otelwasm_sdk.host import HOST, Host
from otelwasm_sdk.messages import Message, Receipt, Reply
from otelwasm_sdk.parts import headers_of, pack, parts_of, unpack
from otelwasm_sdk.report import report_of
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.signature import BATCHES, describe
from otelwasm_sdk.structure import ConfigError, structure

__all__ = [
    "AGAIN",
    "DROP",
    "PASS",
    "PERMANENT",
    "RECEIPT",
    "REPLACE",
    "REPLY",
    "RETRYABLE",
    "Outcome",
    "Runner",
    "milliseconds",
]

T = TypeVar("T")

PASS, REPLACE, DROP, PERMANENT, RETRYABLE, RECEIPT, REPLY, AGAIN = range(8)
_RECEIVE = 0
_LONGEST_MS = 2**32 - 1


class Outcome(NamedTuple):
    """
    What became of a batch or a message, as `direct.wit` numbers it, with its data and number.
    """

    kind: int
    data: bytes = b""
    number: int | None = None


_PASSED = Outcome(PASS)
_DROPPED = Outcome(DROP)
# What a sender learns of a bug; the log has the rest.
_BROKEN = Reply(500, "the plugin failed on this message", {"content-type": "text/plain"})


class Runner:
    """
    One plugin between its host's calls. Messages name files as seen from *folder*.
    """

    def __init__(self, definition: Definition, folder: str, host: Host) -> None:
        self.definition = definition
        self.folder = folder
        self._host = host
        self._plugin: Any = None
        # By the signal's number.
        self._ways: tuple[Callable[[bytes], Outcome], ...] = ()

    def start(self, config: object) -> None:
        """
        Configure the plugin with *config*, its configuration's JSON or an object of its class.

        Raises ConfigError if the configuration does not fit; what the plugin itself raises comes
        through.
        """
        # The image of a plugin is made once, with one seed for all that will ever run.
        random.seed()
        wanted = self.definition.config_class
        if isinstance(config, str):
            given = json.loads(config or "{}")
            if wanted is not None:
                config = structure(given, wanted, where="config")
            elif given:
                raise ConfigError(
                    f"config.{next(iter(given))}: unknown key;"
                    f" {self.definition.name} takes no configuration"
                )
        self._plugin = self._hosted(self.definition.create, config)
        if self.definition.kind != "receiver":
            self._ways = tuple(self._way(signal) for signal in Signal)

    def process(self, signal: Signal, payload: bytes) -> Outcome:
        """
        Let the plugin process or send one batch; what it raises comes through.
        """
        return self._hosted(self._ways[signal], payload)

    def run(self, signal: int, payload: bytes) -> Outcome:
        """
        Let the plugin process or send one batch; whatever it raises is an outcome.
        """
        try:
            way = self._ways[signal]
            if HOST.get(None) is self._host:  # as in every component: no other host is there
                return way(payload)
            return self._hosted(way, payload)
        except BaseException as error:
            return self.failed(error)

    def tick(self) -> None:
        """
        Let the plugin do what is due, if it has a `tick`.
        """
        if "tick" in self.definition.calls:
            self._hosted(self._plugin.tick)

    def stop(self) -> None:
        """
        Let the plugin finish, if it has a `stop`.
        """
        if (function := getattr(self._plugin, "stop", None)) is not None:
            self._hosted(function)

    def receive(self, message: Message) -> Reply:
        """
        Let a receiver handle one message.
        """
        function = self._answering("receive")
        reply = self._hosted(function, message)
        if reply is not None and not isinstance(reply, Reply):
            raise TypeError(self._returned(function, reply, "a Reply or None"))
        return reply or Reply()

    def poll(self) -> float | None:
        """
        Let a receiver look for something new; returns the seconds until it wants to again.
        """
        function = self._answering("poll")
        seconds = self._hosted(function)
        if seconds is None:
            return None
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise TypeError(self._returned(function, seconds, "the seconds until its next call"))
        if not (seconds >= 0 and math.isfinite(seconds)):
            raise ValueError(
                f"{self._called(function)} returned {seconds}; it returns the seconds until its"
                " next call"
            )
        return float(seconds)

    def reply_to(self, message: Message) -> Reply:
        """
        Let a receiver handle one message; an exception that is no failure is logged, and answered.
        """
        try:
            return self.receive(message)
        except Failure:
            raise
        except BaseException as error:
            self._host.log("error", report_of(error, self.folder).full, ())
            return _BROKEN

    def answer(self, what: int, data: bytes) -> Outcome:
        """
        Let a receiver receive a message or poll, as `direct.wit` numbers that.
        """
        try:
            if what != _RECEIVE:
                wait_s = self.poll()
                return Outcome(AGAIN, b"", None if wait_s is None else milliseconds(wait_s))
            peer, method, target, body, *headers = unpack(data)
            reply = self.reply_to(
                Message(
                    body,
                    peer=peer.decode(),
                    method=method.decode(),
                    target=target.decode(),
                    headers=headers_of(headers),
                )
            )
            return Outcome(REPLY, pack(reply.body, *parts_of(reply.headers)), reply.status)
        except BaseException as error:
            return self.failed(error)

    def failed(self, error: BaseException) -> Outcome:
        """
        Turn whatever a plugin raised, even SystemExit, into an outcome; log what it did not mean.
        """
        if isinstance(error, Retryable):
            wait_s = error.after_s
            wait_ms = None if wait_s is None else milliseconds(wait_s)
            return Outcome(RETRYABLE, self.reason(error).encode(errors="replace"), wait_ms)
        if isinstance(error, Failure):
            return Outcome(PERMANENT, self.reason(error).encode(errors="replace"))
        report = report_of(error, self.folder)
        self._host.log("error", report.full, ())
        return Outcome(PERMANENT, report.summary.encode(errors="replace"))

    def reason(self, error: Failure) -> str:
        """
        What a failure says; where one says nothing, that.
        """
        if text := str(error):
            return text
        name, place = type(error).__name__, report_of(error, self.folder).place
        return f'{name} was raised without a reason ({place}); give it one: {name}("…")'

    def _called(self, function: Callable[..., Any] | None = None) -> str:
        """
        The function in the author's words, with its file and line.
        """
        text = self.definition.place if function is None else describe(function)
        return text.removeprefix(self.folder)

    def _returned(self, function: Callable[..., Any], result: object, wanted: str) -> str:
        return f"{self._called(function)} returned {type(result).__name__}; it returns {wanted}"

    def _answering(self, call: Call) -> Callable[..., Any]:
        definition = self.definition
        if call not in definition.calls:
            raise Permanent(f"{definition.name} has no {call}")
        function: Callable[..., Any] = getattr(self._plugin, call)
        return function

    def _hosted(self, function: Callable[..., T], *arguments: object) -> T:
        token = HOST.set(self._host)
        try:
            return function(*arguments)
        finally:
            HOST.reset(token)

    def _way(self, signal: Signal) -> Callable[[bytes], Outcome]:
        """
        Make what becomes of a payload of *signal*, out of as few calls as that takes.
        """
        definition, plugin = self.definition, self._plugin
        is_processor = definition.kind == "processor"
        if signal not in definition.signals:
            return (lambda payload: _PASSED) if is_processor else self._refusing(signal)
        function = plugin.process if is_processor else plugin.send
        batch, verdict = BATCHES[signal], self._verdict
        if definition.takes_bytes:
            if is_processor:
                return lambda payload: verdict(signal, payload, function(payload, signal))
            return lambda payload: self._receipt(function(payload, signal))
        if is_processor:
            return lambda payload: verdict(signal, payload, function(batch(payload)))
        return lambda payload: self._receipt(function(batch(payload)))

    def _refusing(self, signal: Signal) -> Callable[[bytes], Outcome]:
        def refuse(payload: bytes) -> Outcome:
            raise Permanent(f"{self.definition.name} does not take {signal.label}")

        return refuse

    def _verdict(self, signal: Signal, payload: bytes, result: object) -> Outcome:
        definition = self.definition
        if result is None and definition.may_drop:
            return _DROPPED
        if isinstance(result, Batch) and result.signal is signal:
            changed = bytes(result)
            if changed == payload:
                return _PASSED
            # Without any item it has no bytes either.
            return Outcome(REPLACE, changed) if changed else _DROPPED
        if isinstance(result, bytes) and definition.takes_bytes:
            return _PASSED if result == payload else Outcome(REPLACE, result)
        wanted = "bytes" if definition.takes_bytes else BATCHES[signal].__name__
        if result is None:
            raise TypeError(
                f"{self._called()} returned None, which its annotation does not allow: return the"
                f" batch, or write `-> {wanted} | None` if it may drop some"
            )
        raise TypeError(
            f"{self._called()} returned {type(result).__name__} for {signal.label}; it returns"
            f" {wanted}, or None to drop the batch, and sends other signals with emit(...)"
        )

    def _receipt(self, result: object) -> Outcome:
        if result is None:
            return Outcome(RECEIPT, b"", 0)
        if isinstance(result, Receipt):
            return Outcome(RECEIPT, result.message.encode(errors="replace"), result.rejected)
        raise TypeError(
            f"{self._called()} returned {type(result).__name__}; an exporter returns None or a"
            " Receipt, and raises Permanent or Retryable for what it could not send"
        )


def milliseconds(seconds: float) -> int:
    """
    Seconds as the contract's milliseconds, as many as it can say.
    """
    return round(min(max(0.0, seconds * 1000), _LONGEST_MS))
