"""
A plugin's annotations say what it is; what is missing from them is said with file and line.
"""

from types import ModuleType
from typing import Any, Literal

import attrs
import pytest

from otelwasm_sdk import (
    Batch,
    Logs,
    Message,
    Metrics,
    Reply,
    Signal,
    Traces,
    exporter,
    processor,
    receiver,
)
from otelwasm_sdk.definition import define, definitions_in
from otelwasm_sdk.signature import DefinitionError


@attrs.frozen
class Config:
    """
    A configuration.
    """

    key: str = "k"


def test_a_function_says_its_signals_and_its_configuration() -> None:
    """
    Unions of batches are the signals, the second parameter's class is the configuration.
    """

    @processor
    def redact(batch: Traces | Logs, config: Config) -> Traces | Logs | None:
        return batch

    definition = define(redact)

    assert ("processor", "redact") == (definition.kind, definition.name)
    assert {Signal.TRACES, Signal.LOGS} == definition.signals
    assert Config is definition.config_class
    assert not definition.takes_bytes


def test_a_batch_of_any_kind_is_every_signal() -> None:
    """
    The annotation `Batch` takes all signals, and no second parameter no configuration.
    """

    @processor
    def nop(batch: Batch) -> Batch:
        return batch

    assert frozenset(Signal) == define(nop).signals
    assert define(nop).config_class is None


def test_a_class_is_configured_by_its_constructor() -> None:
    """
    `process` says the signals, `__init__` the configuration.
    """

    @processor
    class Count:
        def __init__(self, config: Config) -> None:
            self.key = config.key

        def process(self, batch: Metrics) -> Metrics:
            return batch

    definition = define(Count)

    assert {Signal.METRICS} == definition.signals
    assert "x" == definition.create(Config("x")).key


def test_an_attrs_class_can_be_a_plugin() -> None:
    """
    A constructor that attrs writes counts, too; fields it does not fill are not asked for.
    """

    @processor
    @attrs.define
    class Count:
        config: Config
        seen: int = attrs.field(default=0, init=False)

        def process(self, batch: Traces) -> Traces:
            return batch

    assert Config is define(Count).config_class
    assert Config("x") == define(Count).create(Config("x")).config


def test_a_class_without_constructor_takes_no_configuration() -> None:
    """
    No `__init__`, no configuration.
    """

    @processor
    class Nop:
        def process(self, batch: Traces) -> Traces:
            return batch

    assert define(Nop).config_class is None
    assert hasattr(define(Nop).create(None), "process")


def test_bytes_come_with_their_signal() -> None:
    """
    A plugin of raw bytes takes all signals, or those of a Literal.
    """

    @processor
    def every(payload: bytes, signal: Signal, config: Config) -> bytes:
        return payload

    @processor
    def some(payload: bytes, signal: Literal[Signal.TRACES, Signal.LOGS]) -> bytes:
        return payload

    assert define(every).takes_bytes
    assert frozenset(Signal) == define(every).signals
    assert Config is define(every).config_class
    assert {Signal.TRACES, Signal.LOGS} == define(some).signals


def test_exporters_and_receivers_are_defined_alike() -> None:
    """
    An exporter has `send`, a receiver `receive` or `poll`.
    """

    @exporter
    class Sender:
        def send(self, batch: Traces) -> None:
            pass

    @receiver
    def webhook(message: Message, config: Config) -> Reply:
        return Reply()

    @receiver
    class Poller:
        def poll(self) -> float:
            return 1.0

    assert ("exporter", {Signal.TRACES}) == (define(Sender).kind, define(Sender).signals)
    assert ("receiver", Config) == (define(webhook).kind, define(webhook).config_class)
    assert "receiver" == define(Poller).kind


def test_a_module_shows_its_plugins() -> None:
    """
    Declared and imported plugins are found, each once; subclasses and others are not.
    """

    @processor
    class Parent:
        def process(self, batch: Traces) -> Traces:
            return batch

    class Child(Parent):
        pass

    module = ModuleType("some_plugin")
    vars(module).update(Parent=Parent, again=Parent, Child=Child, other=len, number=5)

    assert ["Parent"] == [definition.name for definition in definitions_in(module)]


def no_annotation(batch):  # type: ignore[no-untyped-def]
    return batch


def an_int(batch: int) -> int:
    """
    Takes what is no batch.
    """
    return batch


def partly(batch: Traces | int) -> Traces | int:
    """
    Takes a batch or something else.
    """
    return batch


def nothing() -> None:
    """
    Takes no batch at all.
    """


def no_class(batch: Traces, config: dict[str, Any]) -> Traces:
    """
    Has a configuration without a class.
    """
    return batch


def too_many(batch: Traces, config: Config, other: Config) -> Traces:
    """
    Has a parameter that nobody fills.
    """
    return batch


def lonely_bytes(payload: bytes) -> bytes:
    """
    Has no signal beside the bytes.
    """
    return payload


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (no_annotation, "`batch` has no annotation"),
        (an_int, "the annotation of `batch` is `int`"),
        (partly, "the annotation of `batch` is"),
        (nothing, "takes no batch; write `batch: Traces`"),
        (no_class, "`config` is annotated with an attrs class"),
        (too_many, "parameters nobody fills: `other`"),
        (lonely_bytes, "`payload: bytes` is followed by `signal: Signal`"),
    ],
)
def test_what_an_annotation_lacks_is_said(function: Any, message: str) -> None:
    """
    A signature that does not say enough is refused with file, line, name and what to write.
    """
    with pytest.raises(DefinitionError) as raised:
        define(processor(function))

    line = function.__code__.co_firstlineno
    assert f"test_definition.py:{line}: {function.__name__}: " in str(raised.value)
    assert message in str(raised.value)


def test_an_unknown_name_in_an_annotation_is_said() -> None:
    """
    An annotation that names what is not imported is refused by name.
    """

    @processor
    def broken(batch: "Trcaes") -> None:  # type: ignore[name-defined]  # noqa: F821
        pass

    with pytest.raises(DefinitionError, match="name 'Trcaes' is not defined"):
        define(broken)


def test_a_class_without_its_method_is_refused() -> None:
    """
    The method that a kind needs is named.
    """

    @processor
    class Empty:
        pass

    with pytest.raises(
        DefinitionError, match="a class with @processor has a method `process`; this"
    ):
        define(Empty)


def test_what_is_not_declared_is_no_plugin() -> None:
    """
    A function without decorator is refused with the advice to add one.
    """
    with pytest.raises(DefinitionError, match="put @processor, @exporter or @receiver before it"):
        define(an_undeclared)


def an_undeclared(batch: Traces) -> Traces:
    """
    Never declared.
    """
    return batch
