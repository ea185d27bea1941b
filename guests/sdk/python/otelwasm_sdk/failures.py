"""
Say that a batch was not taken, and whether trying again can help.

Our exception hierarchy:

    Failure
    ├── Permanent       trying again cannot help
    │   └── Malformed   the payload is not what its signal says
    └── Retryable       trying again may help, after `after_s` if given
"""

__all__ = ["Failure", "Malformed", "Permanent", "Retryable"]


class Failure(Exception):
    """
    A batch was not taken.
    """


class Permanent(Failure):
    """
    Trying this batch again cannot help; its sender gets the protocol's permanent error.
    """


class Malformed(Permanent, ValueError):
    """
    The payload is not a protobuf message of its signal.
    """


class Retryable(Failure):
    """
    Trying this batch again may help; not before *after_s* seconds, if that is known.
    """

    def __init__(self, message: str = "", *, after_s: float | None = None) -> None:
        super().__init__(message)
        if after_s is not None and (not isinstance(after_s, int | float) or after_s < 0):
            raise TypeError(f"after_s is a number of seconds, not {after_s!r}")
        self.after_s = None if after_s is None else float(after_s)
