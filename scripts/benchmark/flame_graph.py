"""
Draw stacks as a flame graph: a still SVG, whose boxes name themselves when pointed at.
"""

import zlib
from collections.abc import Mapping
from html import escape

import attrs

__all__ = ["flame_graph"]

_WIDTH = 1200
_ROW = 16
_TOP = 34
# Boxes narrower than this are left out, in pixels.
_LEAST = 1.2
_LETTER = 6.1


@attrs.define
class _Node:
    value: float = 0.0
    children: dict[str, "_Node"] = attrs.field(factory=dict)


def flame_graph(title: str, stacks: Mapping[tuple[str, ...], float]) -> str:
    """
    Draw *stacks*, outermost frame first, each with its microseconds.
    """
    root = _Node()
    for stack, value in stacks.items():
        root.value += value
        node = root
        for frame in stack:
            node = node.children.setdefault(frame, _Node())
            node.value += value
    boxes: list[tuple[int, float, float, str, float]] = []
    _place(root, 0, 0.0, scale=_WIDTH / max(root.value, 1e-9), boxes=boxes)
    depth = 1 + max((level for level, *_ in boxes), default=0)
    height = _TOP + depth * _ROW + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="monospace" font-size="10">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="20" font-size="14" font-family="sans-serif">{escape(title)}</text>',
    ]
    for level, x, width, name, value in boxes:
        y = _TOP + level * _ROW
        share = value / root.value
        hint = f"<title>{escape(name)}: {value:.1f} us, {share:.1%}</title>"
        lines.append(
            f'<g>{hint}<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}" '
            f'fill="{_color(name)}"/>'
        )
        letters = int((width - 4) / _LETTER)
        if letters >= 3:
            shown = name if len(name) <= letters else f"{name[: letters - 1]}…"
            lines.append(f'<text x="{x + 2:.1f}" y="{y + 11}">{escape(shown)}</text>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>\n"])


def _place(
    node: _Node,
    level: int,
    x: float,
    *,
    scale: float,
    boxes: list[tuple[int, float, float, str, float]],
) -> None:
    """
    Put what *node* called side by side below it, the largest first.
    """
    for name, child in sorted(node.children.items(), key=lambda item: -item[1].value):
        width = child.value * scale
        if width >= _LEAST:
            boxes.append((level, x, width, name, child.value))
            _place(child, level + 1, x, scale=scale, boxes=boxes)
        x += width


def _color(name: str) -> str:
    """
    Tell otelwasm's own code, the guest, and the rest apart.
    """
    shade = zlib.crc32(name.encode()) % 24
    if "otelwasm" in name:
        return f"hsl(28,85%,{62 + shade // 2}%)"
    if name.startswith("wasm"):
        return f"hsl(265,55%,{72 + shade // 2}%)"
    if ".py)" in name:
        return f"hsl(50,70%,{66 + shade // 2}%)"
    return f"hsl(205,35%,{72 + shade // 2}%)"
