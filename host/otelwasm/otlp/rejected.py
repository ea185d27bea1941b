"""
Say which part of a batch a destination did not take.
"""

import attrs

__all__ = ["Rejected"]


@attrs.frozen
class Rejected:
    """
    The part of a batch that the server did not take (OTLP's partial success); 0 is a warning.
    """

    count: int
    message: str
