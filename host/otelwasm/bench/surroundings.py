"""
What is around a plugin while it is measured: all that it asks for is granted, and costs nothing.
"""

from collections.abc import Mapping

from otelwasm.plugins._generated import http
from otelwasm.plugins._generated.types import Attributes, Failure
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from otelwasm_sdk.http import Response

__all__ = ["AnsweringHttp", "KeptState", "LastError", "Nowhere"]

_NOTHING = Response(200)


class AnsweringHttp:
    """
    Answers each request at once: as *answers* has it for the URL, or with 200.
    """

    def __init__(self, answers: Mapping[str, Response]) -> None:
        self._answers = answers

    def send(self, request: http.Request) -> Ok[http.Response] | Err[http.Error]:
        """
        Answer one request.
        """
        given = self._answers.get(request.url, _NOTHING)
        return Ok(http.Response(given.status, given.headers, given.body))


class KeptState:
    """
    Keeps what a plugin wants to keep, in memory.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        """
        What is kept under *key*.
        """
        return Ok(self._kept.get(key))

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        """
        Keep a value.
        """
        self._kept[key] = value
        return Ok(None)

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        """
        Keep it no longer.
        """
        self._kept.pop(key, None)
        return Ok(None)


class Nowhere:
    """
    Takes what a plugin emits, and lets it go.
    """

    def __call__(self, signal: Signal, payload: bytes) -> None:
        """
        Take one batch.
        """


class LastError:
    """
    A log that remembers the last error, to show it if the plugin turns out not to work.
    """

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, level: str, message: str, attributes: Attributes) -> None:
        """
        Take one line.
        """
        if level == "error":
            self.text = message
