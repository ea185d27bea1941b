"""
Read off a Go package's sources what it offers: docs and signatures, as `go doc -all` shows them.

This reads what gofmt writes, and needs no Go.
"""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["declarations"]

_FUNCTION = re.compile(r"func (?:\(\w* ?\*?(?P<type>\w+)\) )?(?P<name>[A-Z]\w*)[(\[]")
_NAMED = re.compile(r"(?:type|var|const) (?P<name>[A-Z]\w*)")
_MEMBER = re.compile(r"\t(?P<name>[A-Z]\w*)")
_LINK = re.compile(r"\[((?:\w+\.)?[A-Z]\w*)\]")


def declarations(folder: Path) -> dict[str, str]:
    """
    What a package exports by its names, each as Go without bodies.

    Methods stand below their type. A group is under the name of its first member.
    """
    found: dict[str, list[str]] = {}
    methods: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.go")):
        if not path.name.endswith("_test.go"):
            for docs, lines in _items(path.read_text("utf-8").split("\n")):
                _take(docs, lines, found, methods)
    for name, functions in methods.items():
        if name in found:
            found[name] += functions
    return {name: "\n".join(map(_plain, text)) for name, text in found.items()}


def _plain(line: str) -> str:
    """
    A line without the brackets that make links in docs.
    """
    return _LINK.sub(r"\1", line) if line.lstrip().startswith("//") else line


def _take(
    docs: list[str], lines: list[str], found: dict[str, list[str]], methods: dict[str, list[str]]
) -> None:
    if match := _FUNCTION.match(lines[0]):
        head = [*docs, re.sub(r" \{( .*)?$", "", lines[0])]
        if match["type"]:
            methods.setdefault(match["type"], []).extend(["", *head])
        else:
            found[match["name"]] = head
    elif match := _NAMED.match(lines[0]):
        found[match["name"]] = [*docs, *_exported(lines)]
    elif re.match(r"(type|var|const) \($", lines[0]):
        names = [match["name"] for line in lines if (match := _MEMBER.match(line))]
        if names:
            found[names[0]] = [*docs, *lines]


def _exported(lines: list[str]) -> list[str]:
    """
    A type without the fields that are not for others.
    """
    if not lines[0].endswith("struct {"):
        return lines
    kept: list[str] = []
    docs: list[str] = []
    for line in lines[1:-1]:
        if line.startswith("\t//"):
            docs.append(line)
        else:
            kept += [*docs, line] if _MEMBER.match(line) else []
            docs = []
    return [lines[0], *kept, "}"] if kept else [lines[0].removesuffix(" {") + "{ … }"]


def _items(lines: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """
    Each declaration of a file: its docs, and its lines.
    """
    docs: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        end = place
        if line.startswith("//"):
            docs.append(line)
        else:
            if line.endswith(("{", "(")):
                end = next(at for at in range(place + 1, len(lines)) if lines[at] in ("}", ")"))
            if line:
                yield docs, lines[place : end + 1]
            docs = []
        place = end + 1
