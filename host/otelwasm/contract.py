"""
Find the contract's WIT files.
"""

from pathlib import Path

from otelwasm.bundled import bundled

__all__ = ["contract_dir"]


def contract_dir() -> Path:
    """
    The folder with `plugin.wit` and `direct.wit`.
    """
    return bundled("_contract", checkout="wit")
