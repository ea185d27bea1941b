"""
Payloads for guests: of a wanted size, and broken in many ways.
"""

import random
from collections.abc import Iterator

from otelwasm.bench.loads import made_batch
from otelwasm.signals import Signal
from otelwasm.testing import a_log_record, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import key_values


def spans(count: int) -> bytes:
    """
    A batch of *count* spans with ten attributes each: 43 KB for 100, 428 KB for 1,000.
    """
    return made_batch(Signal.TRACES, count)


def of_every_kind() -> list[tuple[Signal, bytes]]:
    """
    Small payloads that use much of what OTLP has.
    """
    values = {"s": "ü€😀", "i": -5, "f": 1.5, "b": b"\0\xff", "l": ["a", [1]], "m": {"k": {"n": 1}}}
    span = a_span(attributes=values)
    span.events.add(name="e", attributes=key_values(values))
    span.links.add(trace_id=b"\1" * 16, attributes=key_values(values))
    metric = a_metric(attributes=values)
    metric.gauge.data_points[0].exemplars.add(filtered_attributes=key_values(values))
    histogram = a_metric()
    histogram.histogram.data_points.add(bucket_counts=[1, 300, 3], explicit_bounds=[0.1, 0.2])
    histogram.histogram.data_points[0].attributes.extend(key_values(values))
    return [
        (Signal.TRACES, bytes(traces(span, resource=values))),
        (Signal.METRICS, bytes(metrics(metric, histogram, resource=values))),
        (Signal.LOGS, bytes(logs(a_log_record(values, attributes=values), resource=values))),
    ]


def mutants(seed: int) -> Iterator[tuple[Signal, bytes]]:
    """
    Go on for ever with payloads that are broken somewhere: changed, cut, grown, too deep.
    """
    chance = random.Random(seed)
    sound = of_every_kind()
    for depth in (1, 40, 47, 48, 49, 50, 98, 99, 100, 101, 5000):
        yield Signal.TRACES, b"\x0b" * depth + b"\x0c" * depth
        yield Signal.TRACES, nested_attribute(depth)
    while True:
        signal, payload = chance.choice(sound)
        broken = bytearray(payload)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            at = chance.randrange(len(broken) + 1)
            match chance.randrange(4):
                case 0 if at < len(broken):
                    broken[at] = chance.getrandbits(8)
                case 1:
                    del broken[at : at + chance.randrange(1, 4)]
                case 2:
                    broken[at:at] = chance.randbytes(chance.randrange(1, 4))
                case 3 if chance.random() < 0.3:
                    del broken[at:]
        yield signal, bytes(broken)


def nested_attribute(depth: int) -> bytes:
    """
    A span with an attribute of lists in lists.
    """
    value = b"\x18\x01"
    for _ in range(depth):
        value = field(5, field(1, value))
    pair = field(1, b"k") + field(2, value)
    return field(1, field(2, field(2, field(9, pair))))


def field(number: int, content: bytes) -> bytes:
    """
    One length-delimited field.
    """
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """
    One number as protobuf writes it.
    """
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))
