"""
The messages that the page about troubleshooting explains are those that otelwasm has.
"""

import ast
from pathlib import Path

from docs.pages import TOP, blocks


def texts(path: Path) -> list[str]:
    """
    A module's strings, joined as Python joins them; what is put into one is an ellipsis.
    """
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else "…" for each in node.values]
            found.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def test_messages_are_those_of_the_code() -> None:
    """
    Each message stands in the code, word by word between its ellipses.
    """
    folders = (TOP / "host" / "otelwasm", TOP / "guests" / "sdk" / "python" / "otelwasm_sdk")
    code = "\n".join(
        text for folder in folders for path in folder.rglob("*.py") for text in texts(path)
    )
    messages = [block.text.strip() for block in blocks("troubleshooting.md") if not block.title]
    messages = [text for text in messages if not text.startswith("otelwasm")]
    parts = [part.strip() for text in messages for part in text.split("…") if part.strip()]

    assert len(messages) > 10
    assert [] == [part for part in parts if part not in code]
