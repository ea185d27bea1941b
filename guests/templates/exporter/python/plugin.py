"""
Post each batch, as OTLP protobuf, to a server.
"""

import attrs

from otelwasm_sdk import Logs, Metrics, Traces, exporter, http


@attrs.frozen
class Config:
    """
    What a pipeline's YAML says under `config:`.
    """

    endpoint: str


@exporter
def post(batch: Traces | Metrics | Logs, config: Config) -> None:
    response = http.post(
        f"{config.endpoint}/v1/{batch.signal.label}",
        bytes(batch),
        headers={"content-type": "application/x-protobuf"},
    )
    # 408, 429 and 5xx are tried again, others are refused for good.
    response.raise_for_status()
