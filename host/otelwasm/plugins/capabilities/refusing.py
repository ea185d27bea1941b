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

    _refusal = Err(
        ErrorRefused(
            "`http` is not granted: the plugin needs"
            " `capabilities: {http: {allow: [{url: …}]}}` in the pipeline's configuration"
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

    _refusal = Err(
        FailurePermanent(
            "`state` is not granted: the plugin needs `capabilities: {state: {}}` in the"
            " pipeline's configuration"
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
