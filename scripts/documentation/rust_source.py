"""
Read off Rust sources what they offer: docs and signatures, in the order in which they stand.

This reads what rustfmt writes and the macros of our views, not Rust at large; a test holds what it
finds to what the crate exports.
"""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["declarations"]

_ITEM = re.compile(r"pub (?P<kind>struct|enum|trait|type|const|fn) (?P<name>\w+)")
_IMPL = re.compile(r"impl(?:<[^{]*?>)? (?P<name>\$?\w+)(?:<[^{]*>)? \{$")
_FIELD = re.compile(r"(?P<get>\w+) / (?P<set>\w+): (?P<kind>\w+)(?: as \w+)? = \d+ \}$")
_KINDS = {
    "text": ("&str", "&str"),
    "bytes": ("&[u8]", "&[u8]"),
    "value": ("Value<'_>", "impl Into<Value<'_>>"),
}
_LINK = re.compile(r"\[(`[^`]+`)\](?:\([\w:]+\))?")


def declarations(path: Path) -> dict[str, str]:
    """
    The public items of a file by their names, each as Rust without bodies.

    The functions of a type are in one `impl` below it. Macros that are exported are called `name!`,
    and what a macro gives each of its types is under its bare name.
    """
    found: dict[str, list[str]] = {}
    members: dict[str, list[str]] = {}
    uses: dict[str, list[str]] = {}
    for docs, lines in _items(path.read_text("utf-8").split("\n")):
        if match := _IMPL.match(lines[0]):
            members.setdefault(match["name"], []).extend(_members(lines[1:-1]))
        elif match := _ITEM.match(lines[0]):
            found[match["name"]] = [*docs, *_definition(match["kind"], lines)]
        elif match := re.match(r"macro_rules! (\w+) \{", lines[0]):
            if "#[macro_export]" in docs:
                found[f"{match[1]}!"] = [*docs[:-1], f"{match[1]}!(Type);"]
            else:
                members[match[1]] = list(_given(lines))
        elif lines[0] in ("view! {", "reference! {"):
            name = re.split(r"\W", lines[-2].strip())[0]
            uses.setdefault(lines[0][:-3], []).append(name)
            found[name] = [*(line.strip() for line in lines[1:-2]), f"pub struct {name}<'b>;"]
            fields = re.findall(r"(\w+) = \d+;", lines[-2])
            members[name] = [f"    pub fn {field}(&self) -> &'b str;" for field in fields]
        elif match := re.match(r"surrounded! \{ (.*) \}", lines[0]):
            uses["surrounded"] = match[1].split()
    for macro, names in uses.items():
        found[macro] = [f"// Each of {', '.join(names)} has:", *members.pop(macro)]
    for name, functions in members.items():
        if functions:
            found[name] = [*found.get(name, []), "", f"impl {name} {{", *functions, "}"]
    return {
        name: _LINK.sub(r"\1", "\n".join(_parted(text)).strip()) for name, text in found.items()
    }


def _items(lines: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """
    Each item of a file, or of a block in it: its docs, and its lines; what is hidden is not there.
    """
    place, docs, is_hidden = 0, [], False
    while place < len(lines):
        line = lines[place].strip()
        end = place
        if line.startswith(("///", "#[macro_export]")):
            docs.append(lines[place])
        elif line.startswith("#["):
            is_hidden = is_hidden or line == "#[doc(hidden)]"
        elif line and not line.startswith("//"):
            end = _end(lines, place)
            if not is_hidden:
                yield docs, lines[place : end + 1]
            docs, is_hidden = [], False
        place = end + 1


def _end(lines: list[str], start: int) -> int:
    """
    Where an item ends: where its indentation comes again with a bracket, or at a semicolon.
    """
    first = lines[start]
    if first.endswith(("}", ";", ",")):
        return start
    indentation = first[: len(first) - len(first.lstrip())]
    is_block = first.endswith(("{", "(", "["))
    for end in range(start + 1, len(lines)):
        line = lines[end]
        is_closing = line.startswith((f"{indentation}}}", f"{indentation})", f"{indentation}]"))
        if line.endswith(("}", ";", ")*")) and (is_closing or not is_block):
            return end
    return len(lines) - 1


def _definition(kind: str, lines: list[str]) -> list[str]:
    if kind == "fn":
        return _signature(lines)
    if kind == "trait":
        return [lines[0], *_members(lines[1:-1], starts=("fn", "const", "type")), "}"]
    if kind == "struct" and len(lines) > 1:
        fields = [
            part
            for docs, field in _items(lines[1:-1])
            for part in (*docs, *field)
            if field[0].startswith("    pub ")
        ]
        return [lines[0], *fields, "}"] if fields else [f"{lines[0].removesuffix(' {')};"]
    return [line for line in lines if not line.lstrip().startswith("#[")]


def _members(lines: list[str], *, starts: tuple[str, ...] = ("pub fn", "pub const")) -> list[str]:
    """
    The functions and constants of an `impl` or a `trait`, without bodies.
    """
    members: list[str] = []
    for docs, item in _items(lines):
        if item[0].strip().startswith("field! {"):
            members += _field(item)
        elif item[0].strip().startswith(starts):
            members += [*docs, *_signature(item)]
    return members


def _field(lines: list[str]) -> Iterator[str]:
    """
    The getter and the setter that the macro `field!` makes.
    """
    match = _FIELD.match(lines[-1].strip())
    assert match is not None, lines
    got, given = _KINDS.get(match["kind"], (match["kind"], match["kind"]))
    for line in (lines[0].strip().removeprefix("field! { "), *lines[1:-1]):
        yield f"    {line.strip()}"
    yield f"    pub fn {match['get']}(&self) -> {got};"
    yield f"    pub fn {match['set']}(&mut self, value: {given});"


def _given(macro: list[str]) -> Iterator[str]:
    """
    What a macro implements for the types that are made with it, or named to it.
    """
    for place, line in enumerate(macro):
        if re.match(r" +impl(<'b>)? \$name<'..?> \{$", line):
            block = macro[place + 1 : _end(macro, place)]
            yield from (text[8:] for text in _members(block))


def _signature(lines: list[str]) -> list[str]:
    """
    A function's head, or the whole of what has no body.
    """
    for place, line in enumerate(lines):
        if line.endswith(" {"):
            return [*lines[:place], f"{line.removesuffix(' {')};"]
    return lines


def _parted(lines: list[str]) -> Iterator[str]:
    """
    An empty line before each function with docs that stands behind another one.
    """
    before = ""
    for line in lines:
        is_docs, was_docs = (each.lstrip().startswith("//") for each in (line, before))
        if is_docs and before.endswith(";") and not was_docs:
            yield ""
        yield line
        before = line
