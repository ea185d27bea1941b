"""
An exporter that posts each batch, and keeps what it posted last.
"""

import attrs

from otelwasm_sdk import Batch, Receipt, exporter, http, state


@attrs.frozen
class Config:
    """
    Where to post to.
    """

    url: str = "https://example.com/v1"


@exporter
class Posting:
    """
    Answers as the other side does.
    """

    def __init__(self, config: Config) -> None:
        self.url = config.url

    def send(self, batch: Batch) -> Receipt | None:
        """
        Post it; what is refused has a receipt.
        """
        payload = bytes(batch)
        answer = http.post(
            self.url, payload, headers={"x-signal": batch.signal.label}, timeout_s=2.5
        )
        if answer.status == 429:
            answer.raise_for_status()
        if payload != answer.body and answer.body:
            return Receipt(1, f"{answer.status} {answer.header('X-Why')} {answer.text()}")
        state.set("last", payload)
        if state.get("last") != payload or state.get("lost") is not None:
            return Receipt(2, "the state lost something")
        if not payload:
            state.delete("last")
        return None
