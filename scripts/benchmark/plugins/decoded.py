"""Set one attribute of each span, or rewrite one, on protobuf's own objects."""

import attrs
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm_sdk import Signal, processor


@attrs.frozen
class Config:
    rewrite: bool = False


@processor
def decoded(payload: bytes, signal: Signal, config: Config) -> bytes:
    request = ExportTraceServiceRequest.FromString(payload)
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if not config.rewrite:
                    span.attributes.add(key="env").value.string_value = "prod"
                    continue
                for pair in span.attributes:
                    if pair.key == "url.path":
                        pair.value.string_value = "/v2" + pair.value.string_value
                        break
    return request.SerializeToString()
