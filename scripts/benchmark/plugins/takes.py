"""Take every batch, as an exporter to nowhere."""

from otelwasm_sdk import Batch, exporter


@exporter
def takes(batch: Batch) -> None:
    pass
