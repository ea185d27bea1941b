"""
A plugin's configuration reaches it; what it sends, writes and measures reaches its host.
"""

import json
import random

import attrs
import pytest

from otelwasm_sdk import (
    Batch,
    Logs,
    Message,
    Receipt,
    Reply,
    Retryable,
    Signal,
    Traces,
    emit,
    exporter,
    log,
    meter,
    processor,
    receiver,
)
from otelwasm_sdk.runner import PASS, PERMANENT, RECEIPT, RETRYABLE, Outcome
from otelwasm_sdk.structure import ConfigError
from unit.sdk.running import PAYLOAD, FakeHost, started


@attrs.frozen
class Config:
    """
    A configuration.
    """

    key: str = "k"


def test_whatever_is_logged_is_text() -> None:
    """
    An exception, a number or a truth value is logged as its text, the same in every language.
    """

    @processor
    def plugin(batch: Traces) -> Traces:
        log.warning(ValueError("no"))  # type: ignore[arg-type]  # as authors do
        log.info(5, count=6, is_late=True)  # type: ignore[arg-type]  # as authors do
        return batch

    host = FakeHost()
    started(plugin, host=host).run(Signal.TRACES, PAYLOAD)

    assert [("warn", "no", ()), ("info", "5", (("count", "6"), ("is_late", "true")))] == host.calls


def test_the_configuration_is_structured() -> None:
    """
    JSON becomes the plugin's class; an object of it is taken as it is.
    """
    seen = []

    @processor
    def plugin(batch: Traces, config: Config) -> None:
        seen.append(config)

    for config in (json.dumps({"key": "x"}), Config("y"), "{}"):
        started(plugin, config).run(Signal.TRACES, PAYLOAD)

    assert [Config("x"), Config("y"), Config("k")] == seen


def test_a_configuration_that_nobody_takes_is_refused() -> None:
    """
    A plugin without configuration says so to whoever gives it one.
    """

    @processor
    def plugin(batch: Traces) -> None:
        pass

    with pytest.raises(ConfigError, match=r"config.key: unknown key; plugin takes no config"):
        started(plugin, '{"key": 1}')


def test_emit_log_and_meter_reach_the_host() -> None:
    """
    What a plugin sends, writes and measures arrives, names and values as text.
    """

    @processor
    class Plugin:
        def process(self, batch: Traces) -> None:
            emit(Logs(b"l"))
            log.warning("slow", spans=2, name="n")
            meter.add("seen", signal="traces")
            meter.observe("size", 2.5)

        def tick(self) -> None:
            log.debug("tick")

        def stop(self) -> None:
            log.info("stop")

    host = FakeHost()
    runner = started(Plugin, host=host)
    runner.run(Signal.TRACES, PAYLOAD)
    runner.tick()
    runner.stop()

    assert [
        (Signal.LOGS, b"l"),
        ("warn", "slow", (("spans", "2"), ("name", "n"))),
        ("add", "seen", 1.0, (("signal", "traces"),)),
        ("observe", "size", 2.5, ()),
        ("debug", "tick", ()),
        ("info", "stop", ()),
    ] == host.calls


def test_a_refused_emit_is_the_batchs_failure() -> None:
    """
    What the next step refuses reaches the sender, unless the plugin catches it.
    """

    @processor
    def plugin(batch: Traces) -> None:
        emit(batch)

    @processor
    def patient(batch: Traces) -> Traces:
        try:
            emit(batch)
        except Retryable as failure:
            assert 2.0 == failure.after_s
        return batch

    host = FakeHost()
    host.refusal = Retryable("full", after_s=2.0)

    assert Outcome(RETRYABLE, b"full", 2000) == started(plugin, host=host).run(
        Signal.TRACES, PAYLOAD
    )
    assert Outcome(PASS) == started(patient, host=host).run(Signal.TRACES, PAYLOAD)


def test_outside_a_call_there_is_no_host() -> None:
    """
    Code that runs while a module is imported is told why it cannot emit.
    """
    with pytest.raises(RuntimeError, match="only while the host runs the plugin"):
        emit(Traces())


def test_emit_takes_batches_only() -> None:
    """
    Bytes without a signal are refused with the way to say it.
    """
    with pytest.raises(TypeError, match="not bytes; raw bytes are put into one of them"):
        emit(b"")  # type: ignore[arg-type]


def test_start_seeds_random_anew() -> None:
    """
    Two instances of one image do not draw the same numbers.
    """

    @processor
    def plugin(batch: Batch) -> None:
        pass

    drawn = set()
    for _ in range(3):
        random.seed(1)
        started(plugin)
        drawn.add(random.random())

    assert 3 == len(drawn)


def test_an_exporter_gives_receipts() -> None:
    """
    None is a full success, a Receipt a partial one.
    """

    @exporter
    def send(batch: Traces) -> Receipt | None:
        return Receipt(rejected=1, message="one too old") if len(batch) == 2 else None

    runner = started(send)

    assert Outcome(RECEIPT, b"one too old", 1) == runner.run(Signal.TRACES, PAYLOAD)
    assert Outcome(RECEIPT, b"", 0) == runner.run(Signal.TRACES, b"")
    assert PERMANENT == runner.run(Signal.LOGS, b"").kind


def test_a_receiver_replies_and_polls() -> None:
    """
    A reply, or none, goes back; `poll` says when it wants to be called again.
    """

    @receiver
    class Webhook:
        def receive(self, message: Message) -> Reply | None:
            emit(Logs(message.body))
            return Reply(202, b"taken") if message.header("X-Kind") else None

        def poll(self) -> float | None:
            return 0.5

    host = FakeHost()
    runner = started(Webhook, host=host)

    assert Reply(202, b"taken") == runner.receive(Message(b"l", headers=(("x-kind", "a"),)))
    assert Reply() == runner.receive(Message(b""))
    assert 0.5 == runner.poll()
    assert (Signal.LOGS, b"l") == host.calls[0]
