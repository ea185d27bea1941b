"""
Drop health checks, and say where the other spans come from.
"""

import attrs

from otelwasm_sdk import Traces, processor


@attrs.frozen
class Config:
    """
    What a pipeline's YAML says under `config:`.
    """

    environment: str
    drop: tuple[str, ...] = ("GET /health",)


@processor
def tidy(batch: Traces, config: Config) -> Traces:
    for name in config.drop:
        batch.drop({"name": name})
    batch.set_attribute("deployment.environment.name", config.environment, on="resources")
    return batch
