"""
An exporter that takes all spans but those without a name.
"""

import attrs

from otelwasm_sdk import Permanent, Receipt, Retryable, Traces, emit, exporter


@attrs.frozen
class Config:
    """
    Whom to deliver for.
    """

    tenant: str


@exporter
def deliver(batch: Traces, config: Config) -> Receipt | None:
    """
    Look at the names, which say what to answer.
    """
    names = [span.name for span in batch.spans()]
    if "busy" in names:
        raise Retryable("the other side is busy", after_s=2)
    if "bad" in names:
        raise Permanent(f"{config.tenant}: bad span")
    if "emit" in names:
        emit(batch)
    nameless = names.count("")
    return Receipt(nameless, "spans need names: é") if nameless else None
