"""
What a plugin is measured with: batches made here, or the user's own.
"""

import random
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import attrs

from otelwasm.errors import CaseError
from otelwasm.messages import Message
from otelwasm.otlp.wire import count_items
from otelwasm.signals import Signal
from otelwasm.testing.cases import Case, read_batch
from otelwasm_sdk import Logs, Metrics, Traces

__all__ = ["Load", "made_batch", "made_loads", "of_case", "read_load"]

_SIZES = (1, 100, 1_000)
_ITEMS = {
    Signal.TRACES: "span",
    Signal.METRICS: "data point",
    Signal.LOGS: "log record",
    Signal.PROFILES: "profile",
}
_START_NS = 1_790_000_000 * 10**9
_RESOURCE = {
    "service.name": "checkout",
    "host.name": "node-17",
    "k8s.pod.name": "checkout-7d9f-xyz",
    "deployment.environment.name": "prod",
}
_SCOPE = {"name": "io.opentelemetry.http", "version": "1.2.3"}


@attrs.frozen
class Load:
    """
    What is given to a plugin in one call, or, of several, in turn; *item* is what it counts.
    """

    name: str
    item: str
    inputs: tuple[tuple[Signal, bytes] | Message, ...] = attrs.field(repr=False)

    @property
    def items(self) -> float:
        """
        How many spans, data points or log records there are in a call; a message is one.
        """
        counts = [1 if isinstance(i, Message) else count_items(*i) for i in self.inputs]
        return sum(counts) / len(counts)

    @property
    def size_bytes(self) -> float:
        """
        How many bytes are handed over in a call.
        """
        sizes = [len(i.body) if isinstance(i, Message) else len(i[1]) for i in self.inputs]
        return sum(sizes) / len(sizes)


def made_loads(signals: Collection[Signal]) -> list[Load]:
    """
    Batches of 1, 100 and 1,000 items with ten attributes each, of the first signal of traces, logs
    and metrics that is among *signals*.
    """
    for signal in (Signal.TRACES, Signal.LOGS, Signal.METRICS):
        if signal in signals:
            return [_batch(signal, made_batch(signal, count)) for count in _SIZES]
    raise CaseError("it takes no traces, logs or metrics: give it a batch with --input")


def made_batch(signal: Signal, count: int, *, resource: Mapping[str, object] = _RESOURCE) -> bytes:
    """
    A batch of traces, logs or metrics: *count* items with ten attributes each, of one *resource*
    with these attributes. It is the same whenever it is made; 1,000 spans are 428 KB.
    """
    dice = random.Random(1)
    around: dict[str, Any] = {"resource": resource, "scope": _SCOPE}
    numbers = range(count)
    if signal == Signal.TRACES:
        return bytes(Traces.of(*(_span(number, dice) for number in numbers), **around))
    if signal == Signal.LOGS:
        return bytes(Logs.of(*(_log_record(number, dice) for number in numbers), **around))
    return bytes(Metrics.of(_counter(count), **around))


def read_load(path: Path) -> Load:
    """
    The batch in a file, OTLP/JSON or .pb, whose name ends with its signal: `cart-traces.json`.
    """
    signals = {signal.label: signal for signal in Signal}
    label = path.stem.rpartition("-")[2]
    if label not in signals:
        raise CaseError(
            f"{path}: the name does not say the signal: call it {path.stem}-traces{path.suffix}"
            " (or -metrics, -logs)"
        )
    return _batch(signals[label], read_batch(path, signals[label]), name=path.name)


def of_case(case: Case) -> list[Load]:
    """
    What goes into a case: each of its batches, or all of its messages in turn.
    """
    if not case.messages:
        return [_batch(it.signal, it.payload, name=it.input.name) for it in case.steps]
    messages = tuple(
        Message(it.body, peer=it.peer, method=it.method, target=it.target, headers=it.headers)
        for it in case.messages
    )
    plural = "" if len(messages) == 1 else "s"
    return [Load(f"{len(messages)} message{plural} of {case.name!r} in turn", "message", messages)]


def _batch(signal: Signal, payload: bytes, *, name: str = "") -> Load:
    items = count_items(signal, payload)
    shown = f"{items:,} {_ITEMS[signal]}{'' if items == 1 else 's'}, {_size(len(payload))}"
    return Load(f"{name}: {shown}" if name else shown, _ITEMS[signal], ((signal, payload),))


def _size(size_bytes: float) -> str:
    return f"{size_bytes:.0f} B" if size_bytes < 1_000 else f"{size_bytes / 1e3:.0f} KB"


def _span(number: int, dice: random.Random) -> dict[str, object]:
    start = _START_NS + number * 1_000
    return {
        "trace_id": dice.randbytes(16),
        "span_id": dice.randbytes(8),
        "parent_span_id": dice.randbytes(8),
        "name": "GET /api/v1/items/{id}",
        "kind": 2,
        "start_time_unix_nano": start,
        "end_time_unix_nano": start + dice.randrange(10**8),
        "attributes": _attributes(number),
    }


def _log_record(number: int, dice: random.Random) -> dict[str, object]:
    return {
        "time_unix_nano": _START_NS + number * 1_000,
        "observed_time_unix_nano": _START_NS + number * 1_000,
        "trace_id": dice.randbytes(16),
        "span_id": dice.randbytes(8),
        "severity_number": 9,
        "severity_text": "INFO",
        "body": f"served /api/v1/items/{number} in {dice.randrange(10**3)} ms",
        "attributes": _attributes(number),
    }


def _counter(count: int) -> dict[str, object]:
    points = [
        {
            "start_time_unix_nano": _START_NS,
            "time_unix_nano": _START_NS + 10**10,
            "as_int": number,
            "attributes": _attributes(number),
        }
        for number in range(count)
    ]
    total = {"is_monotonic": True, "data_points": points}
    return {"name": "http.server.requests", "unit": "{request}", "sum": total}


def _attributes(number: int) -> dict[str, object]:
    return {
        "http.request.method": "GET",
        "url.path": f"/api/v1/items/{number}",
        "http.route": "/api/v1/items/{id}",
        "server.address": "shop.example.com",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
        "client.address": f"10.0.{number % 256}.{number % 199}",
        "network.protocol.version": "1.1",
        "enduser.id": f"user-{number}",
        "http.response.status_code": 500 if number % 10 == 0 else 200,
        "server.port": 443,
    }
