"""
What exporters and receivers exchange with the host besides batches.
"""

import attrs

__all__ = ["Message", "Receipt", "Reply"]


@attrs.frozen
class Receipt:
    """
    OTLP's partial success: the other side took the batch, less *rejected* items.
    """

    rejected: int = 0
    message: str = ""


@attrs.frozen
class Message:
    """
    What came in on the socket that the host listens on for a receiver.

    *method*, *target* and *headers* (names in lower case) are empty for tcp and udp.
    """

    body: bytes
    peer: str = ""
    method: str = ""
    target: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str | None:
        """
        The first header called *name*, in any case.
        """
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), None)


@attrs.frozen
class Reply:
    """
    What a receiver's sender gets back, where the protocol has answers.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
