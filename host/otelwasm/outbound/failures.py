"""
Say why a request has no response; TimeoutError is the third way.
"""

__all__ = ["FailedError", "RefusedError"]


class RefusedError(Exception):
    """
    A request that the configuration does not allow; the message says what would.
    """


class FailedError(Exception):
    """
    No connection, a broken one, or a response that is malformed or too large.
    """
