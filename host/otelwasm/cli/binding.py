"""
Write typed bindings for a world of somebody's own.
"""

from pathlib import Path

from otelwasm import bindgen
from otelwasm.errors import WitError
from otelwasm.wit import parse

__all__ = ["write_bindings"]


def write_bindings(wit: Path, world: str, *, output: Path) -> list[Path]:
    """
    Write the bindings of *world* into the folder *output*; return the files that changed.
    """
    packages = parse(wit)
    try:
        packages.world(world)
    except KeyError:
        known = ", ".join(found.name for found in packages.main.worlds) or "none"
        raise WitError(f"{wit}: no world {world!r}; worlds: {known}") from None
    return bindgen.generate(packages, world, output)
