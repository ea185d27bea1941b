"""
Find the SDKs for plugins' authors, and hold them against the versions that plugins ask for.
"""

import re
from pathlib import Path

from otelwasm.bundled import bundled
from otelwasm.errors import BuildError

__all__ = ["SDK_LINK", "check_sdk", "link_sdk", "sdk_folder", "sdk_version"]

# Where the Cargo.toml and the go.mod that `otelwasm new` makes look for the SDK: a link to it, so
# that cargo, Go and editors find it on every machine on which otelwasm has built the plugin.
SDK_LINK = ".otelwasm/sdk"
_SHOWN = {"rust": "Rust", "go": "Go"}
_VERSION = {
    "rust": ("Cargo.toml", re.compile(r'^version = "(\d+\.\d+\.\d+)"$', re.MULTILINE)),
    "go": ("version.go", re.compile(r'^const Version = "v(\d+\.\d+\.\d+)"$', re.MULTILINE)),
}


def sdk_folder(language: str) -> Path:
    """
    The folder of the SDK for *language*, "rust" or "go".
    """
    return bundled(f"_sdk/{language}", checkout=f"guests/sdk/{language}")


def link_sdk(language: str, source: Path) -> None:
    """
    Let the link in the plugin's folder *source* lead to the SDK of this otelwasm.
    """
    link = source / SDK_LINK
    if link.is_symlink() and link.readlink() != sdk_folder(language):
        link.unlink()
    if not link.is_symlink():
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(sdk_folder(language))


def sdk_version(language: str) -> str:
    """
    The version of the SDK that comes with this otelwasm.
    """
    name, pattern = _VERSION[language]
    found = pattern.search((sdk_folder(language) / name).read_text("utf-8"))
    assert found is not None
    return found[1]


def check_sdk(language: str, wanted: str, *, where: Path) -> None:
    """
    BuildError if the plugin whose manifest is *where* asks for another SDK than there is.

    As cargo has it, one that is newer is as good, up to the next version that may break plugins:
    0.1.3 is for those that want 0.1 or 0.1.2, and not for those that want 0.1.4, 0.2 or 0.0.9.
    """
    ours = sdk_version(language)
    if not _is_for(ours, wanted.removeprefix("v")):
        mark = "v" if language == "go" else ""
        raise BuildError(
            f"{where} asks for version {wanted} of the SDK for {_SHOWN[language]}, and this"
            f" otelwasm comes with {mark}{ours}: ask for that, or install the otelwasm that comes"
            f" with {wanted}"
        )


def _is_for(ours: str, wanted: str) -> bool:
    have = [int(number) for number in ours.split(".")]
    want = [int(number) for number in re.split("[-+]", wanted)[0].split(".")]
    fixed = 1 + next((place for place, number in enumerate(want) if number), len(want) - 1)
    return have[:fixed] == want[:fixed] and have >= want
