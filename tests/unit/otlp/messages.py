"""
Make any OTLP request there can be, for tests that hold for all of them.
"""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from otelwasm.otlp.signals import SERVICES
from otelwasm.signals import Signal

__all__ = ["few_examples", "requests"]

# The machine may be busy: time is no failure here.
few_examples = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

_IDS = {"trace_id": 16, "span_id": 8, "parent_span_id": 8, "profile_id": 16}
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_VALUES: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=6),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_ENUM: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
}


def requests(signal: Signal) -> st.SearchStrategy[Message]:
    """
    Return any request of *signal*, with up to two of everything repeated.
    """
    return _messages(SERVICES[signal].request.DESCRIPTOR, depth=9)


@st.composite
def _messages(draw: st.DrawFn, descriptor: Descriptor, *, depth: int) -> Message:
    message = GetMessageClass(descriptor)()
    fields = [f for f in descriptor.fields if depth > 0 or f.message_type is None]
    for field in draw(st.lists(st.sampled_from(fields), unique=True, max_size=6)) if fields else []:
        values = _values(field, depth - 1)
        if field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(values, max_size=2)))
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(draw(values))
        else:
            setattr(message, field.name, draw(values))
    return message


def _values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return _messages(field.message_type, depth=depth)
    if field.name in _IDS:
        size = _IDS[field.name]
        return st.binary(min_size=size, max_size=size).filter(any)
    return _VALUES[field.type]
