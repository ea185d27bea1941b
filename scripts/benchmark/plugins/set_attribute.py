"""Set one attribute of each span, on the whole batch at once."""

from otelwasm_sdk import Traces, processor


@processor
def set_attribute(batch: Traces) -> Traces:
    batch.set_attribute("env", "prod")
    return batch
