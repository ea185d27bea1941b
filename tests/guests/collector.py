"""
Ask processors of the Collector what they make of a batch.
"""

import base64
import json
import subprocess
from collections.abc import Mapping

from otelwasm.signals import Signal


class RefusedError(Exception):
    """
    The Collector does not start with this configuration, or refuses the batch.
    """


class Collector:
    """
    The program scripts/benchmark/peers/transform.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def process(
        self,
        signal: Signal,
        payload: bytes,
        *,
        config: Mapping[str, object],
        processor: str = "attributes",
    ) -> bytes | None:
        """
        Return what it sends on; None if that is nothing.
        """
        orders, answers = self._process.stdin, self._process.stdout
        assert orders is not None and answers is not None
        order = {
            "processor": processor,
            "signal": signal.label,
            "config": config,
            "payload": base64.b64encode(payload).decode(),
        }
        print(json.dumps(order), file=orders)
        answer = json.loads(answers.readline())
        if "error" in answer:
            raise RefusedError(answer["error"])
        return None if answer["payload"] is None else base64.b64decode(answer["payload"])
