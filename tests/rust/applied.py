"""
Talk to guests/sdk/rust/examples/apply.rs, which does to payloads what it is asked to.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Applied", "Apply", "RefusedError"]


class RefusedError(Exception):
    """
    The SDK did not take the payload; the text is the failure's.
    """


@attrs.frozen
class Applied:
    """
    How many changes there were, and what the payload has become, or the payloads.
    """

    count: int
    payloads: tuple[bytes, ...]

    @property
    def payload(self) -> bytes:
        """
        The only one.
        """
        [payload] = self.payloads
        return payload


class Apply:
    """
    The program, running.
    """

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=-1
        )

    def __call__(self, op: str, signal: int, payload: bytes, **arguments: Any) -> Applied:
        """
        Do *op* to a payload; RefusedError if that is refused.
        """
        given, came = self._process.stdin, self._process.stdout
        assert given and came
        request = {"op": op, "signal": signal, "size": len(payload)} | arguments
        given.write(json.dumps(request).encode() + b"\n" + payload)
        given.flush()
        line = came.readline()
        assert line, f"it ended at {request}, {payload.hex()}"
        answer = json.loads(line)
        if answer["error"] is not None:
            raise RefusedError(answer["error"])
        return Applied(answer["count"], tuple(came.read(size) for size in answer["sizes"]))

    def close(self) -> None:
        """
        Let it end.
        """
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
