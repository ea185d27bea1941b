"""
Say what machine something is measured on.
"""

import platform
from pathlib import Path

__all__ = ["processor_name"]


def processor_name() -> str:
    """
    What the processor calls itself, or its architecture where it does not.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
