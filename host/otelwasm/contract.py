"""
Find the contract's WIT files: in the wheel beside this module, in a checkout at its top.
"""

from pathlib import Path

__all__ = ["contract_dir"]


def contract_dir() -> Path:
    """
    The folder with `plugin.wit` and `direct.wit`.
    """
    here = Path(__file__).resolve().parent
    installed = here / "_contract"
    return installed if installed.is_dir() else here.parents[1] / "wit"
