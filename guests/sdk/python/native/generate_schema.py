"""
Write `schema.c`, the tables of OTLP's messages, from the installed opentelemetry-proto.

`python generate_schema.py` writes; with `--check` it writes nothing and fails when the file is
not what it would write.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["main", "schema"]

TARGET = Path(__file__).with_name("schema.c")
# In the order of the contract's signal numbers: the request, and what it is made of.
SIGNALS = (
    (ExportTraceServiceRequest, "spans"),
    (ExportMetricsServiceRequest, "data_points"),
    (ExportLogsServiceRequest, "log_records"),
    (ExportProfilesServiceRequest, "profiles"),
)
# What an operation or an iteration can be about, by the names of messages.
LEVELS: dict[str, tuple[str, ...]] = {
    "resources": ("Resource",),
    "scopes": ("InstrumentationScope",),
    "spans": ("Span",),
    "events": ("Span.Event",),
    "links": ("Span.Link",),
    "metrics": ("Metric",),
    "data_points": (
        "NumberDataPoint",
        "HistogramDataPoint",
        "ExponentialHistogramDataPoint",
        "SummaryDataPoint",
    ),
    "exemplars": ("Exemplar",),
    "log_records": ("LogRecord",),
    "profiles": ("Profile",),
    "samples": ("Sample",),
    "mappings": ("Mapping",),
    "locations": ("Location",),
}
KINDS = {
    value: name.removeprefix("TYPE_")
    for name, value in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


class Tables:
    """
    All messages that a request leads to, and what the tables say of them.
    """

    def __init__(self) -> None:
        self.messages: list[Descriptor] = []
        for request, _ in SIGNALS:
            self._add(request.DESCRIPTOR)
        self.places = {message.full_name: place for place, message in enumerate(self.messages)}

    def _add(self, message: Descriptor) -> None:
        if message not in self.messages:
            self.messages.append(message)
            for field in message.fields:
                if field.message_type:
                    self._add(field.message_type)

    def name_of(self, message: Descriptor) -> str:
        """
        The message's name; with its package's where another one has the same.
        """
        if any(other.name == message.name for other in self.messages[: self._place(message)]):
            return message.full_name.split(".")[-3].capitalize() + message.name
        return message.name

    def attributes_of(self, message: Descriptor) -> int:
        """
        The number of the field that holds attributes; 0 where there is none.
        """
        if message.name == "KeyValueList":
            return 0
        numbers = [f.number for f in message.fields if _is_a(f, "KeyValue") and f.is_repeated]
        return numbers[0] if numbers else 0

    def leading_to(self, names: Sequence[str]) -> tuple[int, list[int]]:
        """
        The bits of the messages of these names, and for each message the bits of its fields
        that are one or lead to one.
        """
        wanted = [
            message
            for message in self.messages
            if any(message.full_name.endswith(f".v1.{name}") for name in names)
            or any(message.full_name.endswith(f".v1development.{name}") for name in names)
        ]
        return self._leading_to(lambda message: message in wanted)

    def leading_to_attributes(self) -> tuple[int, list[int]]:
        """
        The same for every message that has attributes.
        """
        return self._leading_to(lambda message: self.attributes_of(message) > 0)

    def _leading_to(self, is_target: Callable[[Descriptor], bool]) -> tuple[int, list[int]]:
        def leads(field: FieldDescriptor) -> bool:
            inner = field.message_type
            if inner is None or inner.full_name.startswith("opentelemetry.proto.common.v1.A"):
                return False  # values, which may hold themselves
            return is_target(inner) or any(leads(deeper) for deeper in inner.fields)

        targets = _bits(place for place, m in enumerate(self.messages) if is_target(m))
        return targets, [_bits(f.number for f in m.fields if leads(f)) for m in self.messages]

    def containers(self) -> set[Descriptor]:
        """
        The messages between a request and what it is made of.
        """
        items = [name for _, item in SIGNALS for name in LEVELS[item]]
        _, descend = self.leading_to(items)
        roots = [request.DESCRIPTOR for request, _ in SIGNALS]
        return {
            message
            for message, leads in zip(self.messages, descend, strict=True)
            if leads and message not in roots and message.name not in items
        }

    def _place(self, message: Descriptor) -> int:
        return self.messages.index(message)

    def fields(self, place: int, message: Descriptor) -> str:
        """
        The C tables of one message's fields.
        """
        oneofs = {oneof.name: number for number, oneof in enumerate(message.oneofs, 1)}
        by_number = [0] * (max(field.number for field in message.fields) + 1)
        lines = [f"/* {message.full_name} */", f"static const Field FIELDS_{place}[] = {{"]
        for index, field in enumerate(message.fields, 1):
            if field.type == FieldDescriptor.TYPE_GROUP or field.number > 31:
                raise SystemExit(f"{field.full_name}: the tables cannot hold it")
            by_number[field.number] = index
            inner = self.places[field.message_type.full_name] if field.message_type else 0
            oneof = oneofs[field.containing_oneof.name] if field.containing_oneof else 0
            lines.append(
                f'    {{"{field.name}", {field.number}, KIND_{KINDS[field.type]}, {inner}, '
                f"{int(field.is_repeated)}, {oneof}}},"
            )
        lines.append("};")
        numbers = ", ".join(map(str, by_number))
        lines.append(f"static const uint8_t NUMBERS_{place}[] = {{{numbers}}};")
        lines.append(f"static const uint8_t CHECKS_{place}[{len(by_number)}] = {{")
        lines += [f"    [{field.number}] = {self._check(field)}," for field in message.fields]
        lines.append("};")
        return "\n".join(lines)

    def _check(self, field: FieldDescriptor) -> str:
        if field.message_type:
            return f"CHECK_MESSAGE + {self.places[field.message_type.full_name]}"
        if field.type == FieldDescriptor.TYPE_STRING:
            return "CHECK_UTF8"
        if not field.is_repeated or field.type == FieldDescriptor.TYPE_BYTES:
            return "CHECK_NOTHING"
        kind = KINDS[field.type]
        if kind in ("DOUBLE", "FIXED64", "SFIXED64"):
            return "CHECK_PACKED_64BIT"
        return (
            "CHECK_PACKED_32BIT"
            if kind in ("FLOAT", "FIXED32", "SFIXED32")
            else "CHECK_PACKED_VARINT"
        )

    def row(self, place: int, message: Descriptor, *, is_container: bool) -> str:
        """
        One message's row in the C table of messages.
        """
        count = max(field.number for field in message.fields) + 1
        singles = _bits(f.number for f in message.fields if f.message_type and not f.is_repeated)
        return (
            f'    {{"{self.name_of(message)}", FIELDS_{place}, NUMBERS_{place}, CHECKS_{place}, '
            f"{len(message.fields)}, {count}, {self.attributes_of(message)}, "
            f"{int(is_container)}, {singles:#x}}},"
        )


def _is_a(field: FieldDescriptor, name: str) -> bool:
    return field.message_type is not None and field.message_type.name == name


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _wrapped(numbers: Sequence[int]) -> str:
    lines = [numbers[start : start + 12] for start in range(0, len(numbers), 12)]
    return "\n".join("    " + " ".join(f"{number:#x}," for number in line) for line in lines)


def schema() -> str:
    """
    The text of `schema.c`.
    """
    tables = Tables()
    messages = tables.messages
    if [messages[3].name, messages[4].name] != ["KeyValue", "AnyValue"] or len(messages) > 64:
        raise SystemExit("schema.h names KeyValue's and AnyValue's places, and has 64 bits")
    parts = [
        "/* Generated by generate_schema.py from opentelemetry-proto. DO NOT EDIT. */",
        '#include "schema.h"\n',
    ]
    parts += [tables.fields(place, message) for place, message in enumerate(messages)]
    containers = tables.containers()
    rows = [
        tables.row(place, message, is_container=message in containers)
        for place, message in enumerate(messages)
    ]
    parts.append("\n".join(["\nconst Message MESSAGES[] = {", *rows, "};"]))
    parts.append(f"const int MESSAGE_COUNT = {len(messages)};\n")

    levels = {name: tables.leading_to(names) for name, names in LEVELS.items()}
    levels["everywhere"] = tables.leading_to_attributes()
    rows = []
    for name, (targets, descend) in levels.items():
        parts.append(f"static const uint32_t TO_{name.upper()}[] = {{\n{_wrapped(descend)}\n}};")
        rows.append(f'    {{"{name}", {targets:#x}u, TO_{name.upper()}}},')
    parts.append("\n".join(["\nconst Level LEVELS[] = {", *rows, "};"]))
    parts.append(f"const int LEVEL_COUNT = {len(levels)};\n")
    roots = ", ".join(str(tables.places[request.DESCRIPTOR.full_name]) for request, _ in SIGNALS)
    items = ", ".join(str(list(levels).index(item)) for _, item in SIGNALS)
    parts.append(f"const uint8_t ROOTS[SIGNAL_COUNT] = {{{roots}}};")
    parts.append(f"const uint8_t ITEMS[SIGNAL_COUNT] = {{{items}}};\n")
    return "\n".join(parts)


def main() -> int:
    """
    Write the tables, or with `--check` compare them.
    """
    text = schema()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET} is stale: run python {__file__}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
