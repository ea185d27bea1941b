"""
Build a plugin's sources and show how far that is.
"""

from pathlib import Path

from rich.console import Console

from otelwasm.build import build
from otelwasm.build.kept import plugin_name

__all__ = ["build_plugin"]


def build_plugin(source: Path, output: Path | None) -> None:
    """
    Build the plugin at *source* into the component *output*; raises BuildError.

    Without an *output* that is a file's name with .wasm, or a folder's in the current folder.
    """
    if output is None:
        is_folder = source.is_dir()
        output = Path(f"{plugin_name(source)}.wasm") if is_folder else source.with_suffix(".wasm")
    console = Console(stderr=True, highlight=False)
    with console.status(f"building {source}") as status:

        def report(line: str) -> None:
            console.print(line, markup=False)
            status.update(line)

        component = build(source, output, report=report)
    console.print(f"{component}: {component.stat().st_size / 1e6:.1f} MB", markup=False)
