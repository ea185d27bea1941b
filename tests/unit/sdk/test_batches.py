"""
Batches show their items, change as a whole, and know whether they were changed.
"""

import hashlib

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.testing import a_log_record, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import Logs, Malformed, Metrics, Signal, Traces, hashed, key_values

NOT_PROTOBUF = b"\xff\xff\xff"


def two_services() -> Traces:
    """
    Two resources: the first with two spans, the second with one.
    """
    first = traces(
        a_span("a", attributes={"enduser.id": "ada"}),
        a_span("b"),
        resource={"service.name": "shop", "enduser.id": "shopkeeper"},
        scope="http",
    )
    second = traces(a_span("c", is_error=True), resource={"service.name": "mail"})
    return Traces(bytes(first) + bytes(second))


def names(batch: Traces) -> list[str]:
    """
    The names of its spans.
    """
    return [span.name for span in batch.spans()]


def test_spans_know_where_they_come_from() -> None:
    """
    Each span shows its resource and its scope.
    """
    batch = two_services()

    assert [("a", "shop", "http"), ("b", "shop", "http"), ("c", "mail", "test")] == [
        (span.name, span.resource.attributes["service.name"], span.scope.name)
        for span in batch.spans()
    ]
    assert ["shop", "mail"] == [each.attributes["service.name"] for each in batch.resources()]
    assert 3 == len(batch)


def test_a_span_has_otlps_fields() -> None:
    """
    Every field is there under OTLP's name, with OTLP's value; what is in a message is a view.
    """
    proto = a_span("GET /", kind="client", duration_s=0.25, is_error=True)
    proto.events.add(name="exception", time_unix_nano=5, attributes=key_values({"k": 1}))
    proto.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, attributes=key_values({"l": 2}))
    [span] = traces(proto).spans()

    assert ("GET /", 3, b"") == (span.name, span.kind, span.parent_span_id)
    assert "5b8efff798038103d269b633813fc60c" == span.trace_id.hex()
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    assert (2, "") == (span.status.code, span.status.message)
    [event] = span.events
    assert ("exception", 5, {"k": 1}) == (event.name, event.time_unix_nano, dict(event.attributes))
    assert "GET /" == event.span.name
    [link] = span.links
    assert (b"\1" * 16, b"\2" * 8, {"l": 2}) == (
        link.trace_id,
        link.span_id,
        dict(link.attributes),
    )
    with pytest.raises(AttributeError, match="nam"):
        _ = span.nam  # type: ignore[attr-defined]


def test_a_span_says_a_little_more() -> None:
    """
    Its kind in a word, its duration in seconds, and whether it failed.
    """
    [span] = traces(a_span(kind="client", duration_s=0.25, is_error=True)).spans()

    assert ("client", 0.25, True) == (span.kind_name, span.duration_s, span.is_error)


def test_fields_can_be_set() -> None:
    """
    What is set is in the batch's bytes; a message within another is not replaced as a whole.
    """
    batch = traces(a_span(attributes={"a": 1}))
    [span] = batch.spans()
    span.name, span.flags = "new", 1
    span.status.code = 2
    span.attributes = {"b": 2}
    span.scope.name = "lib"
    [changed] = Traces(bytes(batch)).spans()

    assert ("new", 1, 2, "lib") == (
        changed.name,
        changed.flags,
        changed.status.code,
        changed.scope.name,
    )
    assert {"b": 2} == changed.attributes
    with pytest.raises(TypeError, match="not set as a whole"):
        span.status = changed.status
    with pytest.raises(AttributeError):
        span.nam = "x"  # type: ignore[attr-defined]


def test_a_log_record_shows_and_takes_a_body() -> None:
    """
    A body is a plain value, whatever its form.
    """
    batch = logs(a_log_record({"a": [1]}, severity_number=17, severity_text="ERROR"))
    [record] = batch.log_records()

    assert ({"a": [1]}, 17, "ERROR") == (record.body, record.severity_number, record.severity_text)
    record.body = "text"
    [record] = Logs(bytes(batch)).log_records()
    assert "text" == record.body


def test_data_points_know_their_metric() -> None:
    """
    A data point shows its metric, its value and its resource.
    """
    batch = metrics(a_metric("m", value=2, attributes={"k": "v"}), resource={"service.name": "s"})
    [point] = batch.data_points()

    assert ("m", "gauge", 2, {"k": "v"}, "s") == (
        point.metric.name,
        point.metric.kind,
        point.value,
        dict(point.attributes),
        point.resource.attributes["service.name"],
    )


def test_an_untouched_batch_keeps_its_bytes() -> None:
    """
    Reading changes nothing: the payload comes out as the very object that went in.
    """
    payload = bytes(two_services())
    batch = Traces(payload)
    assert 3 == len(batch)
    assert ["ada"] == [item.attributes["enduser.id"] for item in batch.having("enduser.id")]

    assert payload is bytes(batch)


def test_malformed_bytes_are_kept_until_somebody_looks() -> None:
    """
    A batch that nobody looks into is not decoded; looking into a malformed one is a failure.
    """
    batch = Logs(NOT_PROTOBUF)

    assert bytes(batch) == NOT_PROTOBUF
    with pytest.raises(Malformed, match=r"^malformed logs payload: "):
        list(batch.log_records())


def test_a_key_that_is_nowhere_needs_no_decoding() -> None:
    """
    Operations on an attribute that no item can have leave even a malformed payload alone.
    """
    batch = Traces(NOT_PROTOBUF)

    assert [] == list(batch.having("enduser.id"))
    assert 0 == batch.delete_attribute("enduser.id")
    assert 0 == batch.hash_attributes("enduser.id", "email")


def test_set_attribute_reaches_every_item_once() -> None:
    """
    Each span gets the attribute, whether it had it or not, and has it once.
    """
    batch = two_services()
    batch.set_attribute("enduser.id", "nobody")
    batch.set_attribute("env", "test")

    assert [{"enduser.id": "nobody", "env": "test"}] * 3 == [
        span.attributes for span in Traces(bytes(batch)).spans()
    ]
    assert "shopkeeper" == batch.resources()[0].attributes["enduser.id"]


def test_delete_attribute_leaves_none_behind() -> None:
    """
    The attribute goes from resources, scopes, spans, events and links.
    """
    batch = everywhere()

    assert 5 == batch.delete_attribute("enduser.id")
    assert b"enduser.id" not in bytes(batch)
    assert b"kept" in bytes(batch)


def test_hash_attributes_leaves_no_value_readable() -> None:
    """
    The values go from resources, scopes, spans, events and links, and only those.
    """
    batch = everywhere()

    assert 5 == batch.hash_attributes("enduser.id")
    assert b"ada" not in bytes(batch)
    assert 5 == bytes(batch).count(hashlib.sha256(b"ada").hexdigest().encode())
    assert b"kept" in bytes(batch)


def everywhere() -> Traces:
    """
    A batch with the attribute enduser.id wherever attributes can stand.
    """
    attributes = key_values({"enduser.id": "ada", "other": "kept"})
    span = a_span(attributes={"enduser.id": "ada", "other": "kept"})
    span.events.add(attributes=attributes)
    span.links.add(attributes=attributes)
    batch = traces(span, resource={"enduser.id": "ada"})
    batch.proto.resource_spans[0].scope_spans[0].scope.attributes.extend(attributes)
    return Traces(bytes(batch))


def test_hashes_are_those_of_the_collector() -> None:
    """
    Strings, integers, floats and booleans hash as in the Collector's attributes processor.
    """
    assert hashlib.sha256(b"ada").hexdigest() == hashed("ada")
    assert hashlib.sha256((5).to_bytes(8, "little")).hexdigest() == hashed(5)
    assert hashlib.sha256(b"\1").hexdigest() == hashed(True)
    assert hashlib.sha256(b"\0\0\0\0\0\0\xf8\x3f").hexdigest() == hashed(1.5)
    assert "" == hashed("")
    assert hashed("ada", salt="x") != hashed("ada")


def test_drop_removes_emptied_scopes_and_resources() -> None:
    """
    What holds nothing any more goes with its last item; the rest stays in order.
    """
    batch = two_services()

    assert 1 == batch.drop(lambda span: span.name == "c")
    assert ["a", "b"] == names(batch)
    assert 1 == len(ExportTraceServiceRequest.FromString(bytes(batch)).resource_spans)


def test_keep_is_the_opposite_of_drop() -> None:
    """
    Keeping what is an error drops what is none.
    """
    batch = two_services()

    assert 2 == batch.keep(lambda span: span.is_error)
    assert ["c"] == names(Traces(bytes(batch)))


def test_dropping_data_points_removes_emptied_metrics() -> None:
    """
    A metric goes with its last data point, the others stay.
    """
    batch = metrics(a_metric("a", attributes={"k": 1}), a_metric("b", attributes={"k": 2}))

    assert 1 == batch.drop(lambda point: point.attributes["k"] == 1)
    assert ["b"] == [metric.name for metric in Metrics(bytes(batch)).metrics()]


def test_dropping_everything_leaves_an_empty_batch() -> None:
    """
    A batch that was emptied is false and has no bytes.
    """
    batch = two_services()
    batch.drop(lambda span: True)

    assert not batch
    assert b"" == bytes(batch)


def test_split_copies_items_with_their_resource_and_scope() -> None:
    """
    Each part holds its items below their own resource and scope; the batch stays as it was.
    """
    batch = two_services()
    parts = batch.split(lambda span: span.is_error)

    assert {False: ["a", "b"], True: ["c"]} == {key: names(part) for key, part in parts.items()}
    [span] = parts[True].spans()
    assert "mail" == span.resource.attributes["service.name"]
    assert ["a", "b", "c"] == names(batch)


def test_split_takes_metrics_apart_by_their_data_points() -> None:
    """
    A metric's points go to different parts, each with the metric's name, unit and kind.
    """
    metric = a_metric("m", attributes={"tenant": "a"})
    metric.unit = "s"
    metric.gauge.data_points.add(as_int=2, attributes=key_values({"tenant": "b"}))
    parts = metrics(metric).split(lambda point: point.attributes["tenant"])

    assert ["a", "b"] == list(parts)
    for part in parts.values():
        [found] = part.metrics()
        assert ("m", "s", "gauge", 1) == (found.name, found.unit, found.kind, len(part))


def test_protobuf_messages_can_be_changed_directly() -> None:
    """
    What is changed through `proto` is seen in the bytes, without a word to the batch.
    """
    batch = two_services()
    batch.proto.resource_spans[0].scope_spans[0].spans[0].name = "renamed"

    assert ["renamed", "b", "c"] == names(batch)
    assert ["renamed", "b", "c"] == names(Traces(bytes(batch)))


def test_the_protobuf_message_comes_first_or_never() -> None:
    """
    Asking for the message after going through items is refused: changes could be lost.
    """
    batch = two_services()
    batch.set_attribute("env", "test")
    for span in batch.spans():
        span.name = "new"

    with pytest.raises(RuntimeError, match=r"ask for batch.proto before"):
        _ = batch.proto


def test_a_batch_can_be_made_of_a_message() -> None:
    """
    `from_proto` takes a request of its signal and no other.
    """
    request = ExportTraceServiceRequest.FromString(bytes(two_services()))

    assert ["a", "b", "c"] == names(Traces.from_proto(request))
    with pytest.raises(TypeError, match="Logs holds a ExportLogsServiceRequest"):
        Logs.from_proto(request)


def test_all_attributes_reaches_metrics_exemplars() -> None:
    """
    Exemplars' attributes, where user ids like to hide, are among all attributes.
    """
    metric = a_metric("m")
    metric.gauge.data_points[0].exemplars.add(filtered_attributes=key_values({"id": "ada"}))
    batch = metrics(metric)

    assert [{"id": "ada"}] == [dict(each) for each in batch.all_attributes() if each]
    assert 1 == batch.hash_attributes("id")
    assert b"ada" not in bytes(batch)


def test_signals_are_numbered_as_in_the_contract() -> None:
    """
    The SDK's signals are the host's.
    """
    from otelwasm.signals import Signal as HostSignal

    assert {each.name: int(each) for each in HostSignal} == {
        each.name: int(each) for each in Signal
    }
