"""
Draw a chart as SVG: horizontal bars on a logarithmic scale, in groups.
"""

import math
from html import escape

from benchmark.tables import Chart, figure

__all__ = ["svg"]

_COLORS = ("#3b6fb6", "#e08a2e", "#4f9d57", "#c0504d", "#8064a2", "#7f7f7f", "#36a0a8", "#b8a12c")
_WIDTH = 900
_LABELS = 330
_BAR = 15
_GAP = 14
_TOP = 56


def svg(chart: Chart, footer: str) -> str:
    """
    Draw *chart* with *footer* below it.
    """
    series = list(dict.fromkeys(name for group in chart.groups.values() for name in group))
    colors = {name: _COLORS[place % len(_COLORS)] for place, name in enumerate(series)}
    values = [value for group in chart.groups.values() for value in group.values() if value]
    scale = _Scale(min(values), max(values))
    y = _TOP
    body: list[str] = []
    for group, bars in chart.groups.items():
        body.append(_text(12, y + 11, group, weight="bold"))
        y += 20
        for name, value in bars.items():
            if value is None:
                continue
            width = scale.x(value) - _LABELS
            body.append(_text(_LABELS - 8, y + 11, name, anchor="end"))
            body.append(
                f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR - 3}" '
                f'fill="{colors[name]}"/>'
            )
            body.append(_text(_LABELS + width + 5, y + 11, figure(value)))
            y += _BAR
        y += _GAP
    height = y + 28
    lines = [
        f'<line x1="{scale.x(tick):.1f}" y1="{_TOP - 8}" x2="{scale.x(tick):.1f}" y2="{y - 8}" '
        f'stroke="{"#888" if tick == 1 else "#e4e4e4"}"/>'
        + _text(scale.x(tick), _TOP - 12, f"{tick:g}", anchor="middle", color="#777")
        for tick in scale.ticks()
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="11">',
            '<rect width="100%" height="100%" fill="white"/>',
            _text(12, 22, f"{chart.title} ({chart.unit}; logarithmic)", weight="bold", size=14),
            *lines,
            *body,
            _text(12, height - 10, footer, color="#777", size=9),
            "</svg>\n",
        ]
    )


class _Scale:
    """
    Maps values to places, a decade or more from side to side.
    """

    def __init__(self, least: float, most: float) -> None:
        self._low = math.floor(math.log10(least / 1.5))
        self._high = max(math.log10(most * 1.1), self._low + 1)

    def x(self, value: float) -> float:
        """
        Place *value* between the labels and the right side.
        """
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return _LABELS + max(share, 0.002) * (_WIDTH - _LABELS - 60)

    def ticks(self) -> list[float]:
        """
        Give the powers of ten.
        """
        return [10.0**power for power in range(self._low, math.floor(self._high) + 1)]


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    color: str = "#222",
    size: int = 11,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" '
        f'font-size="{size}" fill="{color}">{escape(text)}</text>'
    )
