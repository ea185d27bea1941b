"""
Hold what a receiver plugin is given, and what it answers.
"""

import attrs

__all__ = ["Headers", "Message", "Reply"]

# Names and values, in order; a name may repeat.
Headers = tuple[tuple[str, str], ...]


@attrs.frozen
class Message:
    """
    One HTTP request, one message of a tcp stream or one udp datagram.

    Only HTTP has a *method*, a *target* (path and query) and *headers*, their names in lower case;
    *peer* is the sender's address, as `host:port`.
    """

    body: bytes
    peer: str = ""
    method: str = ""
    target: str = ""
    headers: Headers = ()


@attrs.frozen
class Reply:
    """
    What a plugin answers to a message: to its sender, where the protocol has answers.

    A *status* of 400 or more says that the message was not taken.
    """

    status: int = 200
    body: bytes = b""
    headers: Headers = ()
