"""
Ask the Collector's own attributes processor what it makes of a batch.
"""

import base64
import json
import subprocess
from collections.abc import Mapping

from otelwasm.signals import Signal


class RefusedError(Exception):
    """
    The Collector does not start with this configuration.
    """


class Collector:
    """
    The program scripts/benchmark/peers/transform.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def process(self, signal: Signal, payload: bytes, *, config: Mapping[str, object]) -> bytes:
        """
        Return what it sends on.
        """
        orders, answers = self._process.stdin, self._process.stdout
        assert orders is not None and answers is not None
        order = {
            "signal": signal.label,
            "config": config,
            "payload": base64.b64encode(payload).decode(),
        }
        print(json.dumps(order), file=orders)
        answer = json.loads(answers.readline())
        if "error" in answer:
            raise RefusedError(answer["error"])
        return base64.b64decode(answer["payload"])
