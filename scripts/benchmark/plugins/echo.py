"""Pass, replace or emit what comes, without reading it."""

from typing import Literal

import attrs

from otelwasm_sdk import Signal, Traces, emit, processor


@attrs.frozen
class Config:
    answer: Literal["pass", "replace", "emit"] = "pass"


@processor
def echo(payload: bytes, signal: Signal, config: Config) -> bytes | None:
    if config.answer == "pass":
        return payload
    # Other bytes than those that came, or it would be a pass; the first tells them apart.
    changed = b"x" + payload[1:]
    if config.answer == "replace":
        return changed
    emit(Traces(changed))
    return None
