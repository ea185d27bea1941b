"""
Find the SDKs for plugins' authors.
"""

from pathlib import Path

from otelwasm.bundled import bundled

__all__ = ["sdk_folder"]


def sdk_folder(language: str) -> Path:
    """
    The folder of the SDK for *language*, "rust" or "go".
    """
    return bundled(f"_sdk/{language}", checkout=f"guests/sdk/{language}")
