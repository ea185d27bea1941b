"""
Say how much memory, time and log a plugin may take.
"""

import attrs

__all__ = ["Limits"]


@attrs.frozen
class Limits:
    """
    Limits of one instance: the memory it holds, the time of each call into it. The lines a second
    that reach the log are counted over all instances of a plugin.
    """

    memory_bytes: int = 256 << 20
    deadline_s: float = 5.0
    log_lines_per_second: int = 100
