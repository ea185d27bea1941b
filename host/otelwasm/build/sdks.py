"""
Find the SDKs for plugins' authors: in the wheel beside this package, in a checkout in its place.
"""

from pathlib import Path

from otelwasm.errors import BuildError

__all__ = ["sdk_folder"]


def sdk_folder(language: str) -> Path:
    """
    The folder of the SDK for *language*, "rust" or "go".
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_sdk" / language, package.parents[1] / "guests" / "sdk" / language):
        if folder.is_dir():
            return folder
    raise BuildError(f"there is no SDK in {package / '_sdk' / language}: reinstall otelwasm")
