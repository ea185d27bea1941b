"""Read one attribute of each span and write another value: a loop in Python."""

from otelwasm_sdk import Traces, processor


@processor
def rewrite(batch: Traces) -> Traces:
    for span in batch.items():
        span.attributes["url.path"] = "/v2" + span.attributes["url.path"]
    return batch
