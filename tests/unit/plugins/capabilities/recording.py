"""
Keep what plugins log and measure.
"""

from otelwasm.plugins._generated.types import Attributes

__all__ = ["Lines", "Numbers"]


class Lines(list[tuple[str, str, Attributes]]):
    """
    A `log` hook that keeps its lines.
    """

    def __call__(self, level: str, message: str, attributes: Attributes) -> None:
        self.append((level, message, attributes))


class Numbers(list[tuple[str, str, float, Attributes]]):
    """
    A `meter` hook that keeps its numbers.
    """

    def __call__(self, kind: str, name: str, value: float, attributes: Attributes) -> None:
        self.append((kind, name, value, attributes))
