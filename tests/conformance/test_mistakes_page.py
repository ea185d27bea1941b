"""
The page of mistakes says what the product says.
"""

import re
from pathlib import Path

from conformance import mistakes, test_mistakes_compiled, test_mistakes_pipeline

PAGE = Path(__file__).parents[2] / "host/docs/mistakes.md"
# Said of what depends on a package index: tests/unit/build/test_requirements.py.
ELSEWHERE = {
    "the package index has no package of that name",
    "the package index has no pure-Python wheel of it",
    "no version of it fits; there are",
    "returned None, which its annotation does not allow",
    # test_compiled_builds.py
    ": ask for that, or install the otelwasm that comes",
}


def test_each_message_of_the_page_is_tested() -> None:
    """
    What stands in the second column is a part of a message that a test expects.
    """
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    messages = {text for row in rows for text in re.findall(r"`([^`]+)`", row.split(" | ")[1])}
    tables: list[object] = [
        *(mistakes.NO_PLUGIN, mistakes.BUGS, mistakes.BEYOND, mistakes.ENDS, mistakes.CONFIGS),
        *(test_mistakes_pipeline.MISTAKES, test_mistakes_compiled.MISTAKES, ELSEWHERE),
        "a call ran beyond its deadline of",
    ]
    expected = re.sub(r"\s+", " ", " ".join(str(each) for each in tables))

    assert len(messages) > 30
    assert [] == sorted(text for text in messages if text not in expected)
