"""
Know whether a batch was changed, so that one that was not goes on as it came.
"""

__all__ = ["Edits"]


class Edits:
    """
    What the views of one batch tell it.

    `is_changed` is set by every change through a view. `is_exposed` is set when a protobuf
    message is handed out: whether that was changed shows only when it is serialized.
    """

    __slots__ = ("is_changed", "is_exposed")

    def __init__(self) -> None:
        self.is_changed = False
        self.is_exposed = False
