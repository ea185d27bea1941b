"""
Find what otelwasm brings along: in the wheel beside this module, in a checkout in its own place.
"""

from pathlib import Path

from otelwasm.errors import BuildError

__all__ = ["bundled"]


def bundled(installed: str, *, checkout: str) -> Path:
    """
    A folder that is called *installed* in the package, and *checkout* in the repository.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / installed, package.parents[1] / checkout):
        if folder.is_dir():
            return folder
    raise BuildError(f"there is no {package / installed}: reinstall otelwasm")
