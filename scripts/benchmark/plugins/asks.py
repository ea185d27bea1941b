"""Ask the host for one thing with each batch, and pass the batch on."""

from typing import Literal

import attrs

from otelwasm_sdk import Signal, http, log, meter, processor, state


@attrs.frozen
class Config:
    ask: Literal["nothing", "http", "get", "set", "log", "add"] = "nothing"
    url: str = ""


@processor
def asks(payload: bytes, signal: Signal, config: Config) -> bytes | None:
    match config.ask:
        case "http":
            assert http.post(config.url, payload).status == 200
        case "get":
            state.get("key")
        case "set":
            state.set("key", payload)
        case "log":
            log.info("a line of the usual length", key="value")
        case "add":
            meter.add("batches", 1, key="value")
    return payload
