"""
Put what the SDKs for Rust and Go offer into the pages that tell of it, off the SDKs' sources.

A page names it in a line of its own, as a file of the Rust SDK's `src` or a package of the Go SDK,
with the names that are wanted, or none for all:

    <!-- rust: batch.rs Batch Items -->
    <!-- go: http -->
"""

import re
from collections.abc import Callable
from pathlib import Path

from documentation import go_source, rust_source

__all__ = ["filled"]

SDK = Path(__file__).resolve().parents[2] / "guests/sdk"
_PLACE = re.compile(r"^<!-- (?P<language>rust|go): (?P<where>\S+)(?P<names>.*) -->$", re.MULTILINE)


def filled(markdown: str, *, warn: Callable[[str], None]) -> str:
    """
    A page with the code that its lines ask for; what is not there is warned of.
    """

    def replaced(match: re.Match[str]) -> str:
        language, where, names = match["language"], match["where"], match["names"].split()
        if language == "rust":
            found = rust_source.declarations(SDK / "rust/src" / where)
        else:
            found = go_source.declarations(SDK / "go" / where)
        for name in names:
            if name not in found:
                warn(f"{SDK.name}/{language}/{where} has no {name}")
        shown = [found[name] for name in names or found if name in found]
        return "\n".join((f"```{language}", "\n\n".join(shown), "```"))

    return _PLACE.sub(replaced, markdown)
