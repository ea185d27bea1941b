"""
Stand in for the capabilities that a plugin was not granted; say what would grant them.
"""

from otelwasm.plugins._generated.http import Error, ErrorRefused, Request, Response
from otelwasm.plugins._generated.types import Failure, FailurePermanent
from otelwasm.plugins.values import Err, Ok

__all__ = ["NoHttp", "NoState"]


class NoHttp:
    """
    Refuses every request.
    """

    def __init__(self, plugin: str) -> None:
        self._refusal = Err(
            ErrorRefused(
                f"`http` is not granted to plugin '{plugin}'; its configuration needs "
                "capabilities: {http: {allow: [{url: …}]}}"
            )
        )

    def send(self, request: Request) -> Ok[Response] | Err[Error]:
        """
        Refuse.
        """
        return self._refusal


class NoState:
    """
    Keeps nothing.
    """

    def __init__(self, plugin: str) -> None:
        self._refusal = Err(
            FailurePermanent(
                f"`state` is not granted to plugin '{plugin}'; its configuration needs "
                "capabilities: {state: {}}"
            )
        )

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        """
        Refuse.
        """
        return self._refusal

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        """
        Refuse.
        """
        return self._refusal

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        """
        Refuse.
        """
        return self._refusal
