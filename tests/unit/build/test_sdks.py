"""
The SDKs that come with otelwasm, and which versions of them a plugin can ask for.
"""

import tomllib
from pathlib import Path

import pytest

from otelwasm.build.sdks import check_sdk, sdk_folder, sdk_version
from otelwasm.errors import BuildError

TEMPLATES = Path(__file__).resolve().parents[3] / "guests/templates"
OURS = "0.1.0"


def test_the_sdks_have_one_version() -> None:
    """
    Rust's and Go's SDK have the same version, for which new plugins ask.
    """
    cargo = tomllib.loads((sdk_folder("rust") / "Cargo.toml").read_text())

    assert cargo["package"]["version"] == sdk_version("rust") == sdk_version("go") == OURS
    for manifest in TEMPLATES.glob("*/go/go.mod"):
        assert f"/sdk/go v{OURS}\n" in manifest.read_text()
    for manifest in TEMPLATES.glob("*/rust/Cargo.toml"):
        wanted = tomllib.loads(manifest.read_text())["dependencies"]["otelwasm-sdk"]
        check_sdk("rust", wanted if isinstance(wanted, str) else wanted["version"], where=manifest)


@pytest.mark.parametrize("wanted", ["0", "0.1", "0.1.0", "v0.1.0", "v0.1.0+incompatible"])
def test_what_fits_is_taken(wanted: str) -> None:
    """
    The same version is good, and one that is said in part.
    """
    check_sdk("go", wanted, where=Path("go.mod"))


@pytest.mark.parametrize(
    "wanted", ["0.0", "0.0.0", "v0.0.9", "0.1.1", "0.2", "v0.2.0", "1", "v1.0.0"]
)
def test_what_does_not_fit_is_refused(wanted: str) -> None:
    """
    A version that is newer, or from before the last change that breaks plugins, is an error.
    """
    with pytest.raises(BuildError, match=f"go.mod asks for version {wanted} of the SDK for Go"):
        check_sdk("go", wanted, where=Path("go.mod"))
