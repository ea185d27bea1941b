"""
A guest without the SDK: protobuf's C core and our extension alone, as a component.
"""

from google.protobuf.internal import api_implementation
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

import otelwasm_native
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.processing import Verdict, Verdict_Replace
from wit_world.imports.types import Abilities, Failure_Permanent, Signal


def changed_on_the_wire() -> bytes:
    """
    Change a batch with the extension, and tell what came of it.
    """
    request = trace_service_pb2.ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for route in ("/x", "/y"):
        spans.add().attributes.add(key="http.route").value.string_value = route
    batch = otelwasm_native.Batch(request.SerializeToString(), 0)
    batch.set_attribute("env", "prod")
    batch.drop({"attributes.http.route": "/y"})
    for span in batch.each(having="env"):
        span.attributes["env"] = {"was": span.attributes["env"]}
    request = trace_service_pb2.ExportTraceServiceRequest.FromString(bytes(batch))
    (span,) = request.resource_spans[0].scope_spans[0].spans
    route, env = (pair.value for pair in span.attributes)
    was_prod = env.kvlist_value.values[0].value.string_value == "prod"
    return f"{route.string_value} {len(batch.each())} {was_prod}".encode()


class Lifecycle(exports.Lifecycle):
    def start(self, config: str) -> Abilities:
        raise Err(api_implementation.Type())

    def tick(self) -> None: ...

    def stop(self) -> None: ...


class Processing(exports.Processing):
    def process(self, signal: Signal, payload: bytes) -> Verdict:
        if signal is Signal.LOGS:
            return Verdict_Replace(changed_on_the_wire())
        try:
            otelwasm_native.check(payload, signal.value)
        except ValueError as error:
            raise Err(Failure_Permanent(str(error))) from None
        request = trace_service_pb2.ExportTraceServiceRequest.FromString(payload)
        for scope in request.resource_spans[0].scope_spans:
            for span in scope.spans:
                span.attributes.add(key="env").value.string_value = "prod"
        return Verdict_Replace(request.SerializeToString())


otelwasm_native.answer_with(lambda signal, payload: (1, payload, len(payload)))


class Direct(exports.Direct):
    reserve = staticmethod(otelwasm_native.reserve)
    run = staticmethod(otelwasm_native.run)
