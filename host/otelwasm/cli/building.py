"""
Build a plugin's sources and show how far that is.
"""

from pathlib import Path

from rich.console import Console

from otelwasm.build import build

__all__ = ["build_plugin"]


def build_plugin(source: Path, output: Path) -> None:
    """
    Build the plugin at *source* into the component *output*; raises BuildError.
    """
    console = Console(stderr=True, highlight=False)
    with console.status(f"building {source}") as status:

        def report(line: str) -> None:
            console.print(line, markup=False)
            status.update(line)

        component = build(source, output, report=report)
    console.print(f"{component}: {component.stat().st_size / 1e6:.1f} MB", markup=False)
