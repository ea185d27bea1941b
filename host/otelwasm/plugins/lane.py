"""
Name the ways in which bytes may cross between the host and a plugin.
"""

from typing import Literal

__all__ = ["Lane"]

# Through bridges, straight into the plugin's memory, or the best that it offers (compose.py).
Lane = Literal["auto", "bridge", "direct"]
