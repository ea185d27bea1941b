"""
Exporters and receivers pass the boundary as processors do.
"""

from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.receiving import Message, Reply
from otelwasm.plugins._generated.types import FailurePermanent
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.guests import MIRROR, exporter
from plugins.opening import Opening

# Says that 0x1234567890 items were refused, with the payload as the message.
REFUSING = exporter(
    """
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0x1234567890))
    (i32.store (i32.const 528) (local.get $at)) (i32.store (i32.const 532) (local.get $length))
    (i32.const 512)"""
)
FAILING = exporter(
    """
    (i64.store (i32.const 512) (i64.const 1)) (i64.store (i32.const 520) (i64.const 0))
    (i32.store (i32.const 524) (local.get $at)) (i32.store (i32.const 528) (local.get $length))
    (i32.const 512)"""
)


def test_receipts_arrive(opening: Opening) -> None:
    """
    What an exporter says about a partial success arrives.
    """
    instance = opening(REFUSING, "exporter")

    assert Ok(Receipt(0x1234567890, "hey")) == instance.run(Signal.LOGS, b"hey")
    assert Ok(Receipt(0x1234567890, "")) == instance.exporting.send(Signal.LOGS, b"")


def test_an_exporters_failures_arrive(opening: Opening) -> None:
    """
    An exporter's refusal arrives with its reason.
    """
    instance = opening(FAILING, "exporter")

    assert Err(FailurePermanent("bad tenant")) == instance.run(Signal.LOGS, b"bad tenant")


def test_messages_and_replies_arrive(opening: Opening) -> None:
    """
    A receiver gets a message's headers and body, and its reply arrives.
    """
    instance = opening(MIRROR, "receiver")
    headers = (("a", "b"), ("é", ""), ("c" * 300, "d"))
    message = Message("1.2.3.4:5", "POST", "/v1", headers, b"payload")

    assert Ok(Reply(202, headers, b"payload")) == instance.receiving.receive(message)
    assert Ok(1234) == instance.receiving.poll()
