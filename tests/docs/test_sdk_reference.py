"""
The reference pages of the Rust and Go SDKs have all that the SDKs offer, as their sources say it.
"""

import re
import subprocess

import pytest
from documentation.sdk_reference import SDK, filled

from conformance.building import need

PAGES = SDK.parents[1] / "host/docs/reference"
RUST, GO = SDK / "rust/src", SDK / "go"
GO_PACKAGES = sorted(
    folder.relative_to(GO).as_posix()
    for folder in {path.parent for path in GO.rglob("*.go")}
    if not {"internal", "collector", "examples"} & set(folder.relative_to(GO).parts)
)


def shown(page: str) -> str:
    """
    A page, filled in without a warning.
    """
    warnings: list[str] = []
    text = filled((PAGES / page).read_text(), warn=warnings.append)
    assert [] == warnings
    return text


def test_all_of_the_crate_is_shown() -> None:
    """
    What the crate exports is on its page: types, traits and macros, with all functions.
    """
    text = shown("rust-sdk.md")
    root = (RUST / "lib.rs").read_text()
    used = re.findall(r"pub use [\w:]+::(?:\{([\w, ]+)\}|(\w+));", root)
    names = {name for group in used for each in group for name in each.split(", ") if name}
    public = re.findall(r"(?<!#\[doc\(hidden\)\]\n)^pub mod (\w+);", root, re.MULTILINE)
    assert {"Batch", "Processor", "emit", "answer_with"} <= names
    assert {"http", "log", "views"} <= set(public)

    files = [RUST / f"{name}.rs" for name in (*public, "batch", "operations", "item", "messages")]
    for path in files:
        if path.is_file():
            names |= set(re.findall(r"^ *pub (?:fn|struct|enum) (\w+)", path.read_text(), re.M))
    fields = re.findall(r"(\w+) / (set_\w+): \w", (RUST / "views.rs").read_text())
    names |= {name for pair in fields for name in pair}

    code = "".join(re.findall(r"^```rust\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert set() == {name for name in names if not re.search(rf"\b{name}\b", code)}
    assert "    pub fn set_severity_number(&mut self, value: i32);\n" in text
    assert "crate::" not in text


@pytest.mark.parametrize("package", GO_PACKAGES)
def test_all_of_a_go_package_is_shown(package: str) -> None:
    """
    What `go doc` lists of a package is on the page: functions with their signature.
    """
    need("go")
    listed = subprocess.run(
        ["go", "doc", "-short", f"./{package}"], cwd=GO, capture_output=True, text=True, check=True
    )
    heads = [line.strip() for line in listed.stdout.splitlines()]
    functions = {head for head in heads if head.startswith("func ")}
    names = {head.split()[1] for head in heads if head not in functions}
    text = shown("go-sdk.md")

    assert heads
    assert set() == {head for head in functions if f"{head}\n" not in text}
    assert set() == {name for name in names if not re.search(rf"\b{name}\b", text)}


def test_what_a_page_asks_for_in_vain_is_told() -> None:
    """
    A name that the sources do not have is a warning, which fails the build.
    """
    warnings: list[str] = []

    text = filled("<!-- rust: batch.rs Batsh Items -->\n", warn=warnings.append)

    assert ["sdk/rust/batch.rs has no Batsh"] == warnings
    assert "```rust\n/// Goes through the items of a batch.\npub struct Items<'b>;\n```\n" == text
