"""
Say how much memory and time a plugin's instance may take.
"""

import attrs

__all__ = ["Limits"]


@attrs.frozen
class Limits:
    """
    Limits of one instance: the memory it holds, the time of each call into it.
    """

    memory_bytes: int = 256 << 20
    deadline_s: float = 5.0
