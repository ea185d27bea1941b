"""
Collect one generated Python module: its imports, constants, classes and functions.
"""

import textwrap
from collections import defaultdict

from otelwasm.bindgen.names import Scope

__all__ = ["Module", "docstring"]

_RUNTIME = "otelwasm.plugins"
_WIDTH = 100


class Module:
    """
    A module in the making; parts are added in any order and come out in a fixed one.
    """

    def __init__(self, name: str, *, about: str, header: str) -> None:
        self.name = name
        self.scope = Scope(("Memory", "Ok", "Err", "Some", "Struct"))
        self.values: list[str] = []
        self.functions: list[str] = []
        self.interfaces: list[str] = []
        self._about = about
        self._header = header
        self._plain: set[str] = set()
        self._from: defaultdict[str, set[str]] = defaultdict(set)
        self._structs: dict[str, str] = {}
        self._public: set[str] = set()

    def use(self, place: str, name: str | None = None) -> str:
        """
        Import *name* from *place*, or *place* itself; return what to write.
        """
        if name is None:
            self._plain.add(place)
            return place
        self._from[place].add(name)
        return name

    def runtime(self, part: str, name: str) -> str:
        """
        Import *name* from the runtime's module *part*.
        """
        return self.use(f"{_RUNTIME}.{part}", name)

    def sibling(self, other: "Module", name: str) -> str:
        """
        Import *name* from another generated module, if it is another.
        """
        return name if other is self else self.use(f".{other.name}", name)

    def struct(self, codes: str) -> str:
        """
        The constant that packs and unpacks *codes*.
        """
        if codes not in self._structs:
            self.use("struct", "Struct")
            self._structs[codes] = self.scope.fresh("_" + codes.replace("?", "t").upper())
        return self._structs[codes]

    def publish(self, name: str) -> str:
        """
        Put *name* among the module's public names.
        """
        self._public.add(name)
        return name

    def text(self) -> str:
        """
        The whole module.
        """
        head = [f'"""\n{self._header}\n\n{_wrapped(self._about)}\n"""']
        imports = self._imports()
        public = ", ".join(f'"{name}"' for name in sorted(self._public, key=_import_order))
        exported = f"__all__ = [{public}]"
        if len(exported) > _WIDTH:
            names = "".join(f'    "{name}",\n' for name in sorted(self._public, key=_import_order))
            exported = f"__all__ = [\n{names}]"
        constants = "\n".join(
            f'{name} = Struct("<{codes}")' for codes, name in sorted(self._structs.items())
        )
        first = [*head, imports, exported, constants]
        blocks = ["\n\n".join(part for part in first if part)]
        blocks += [*self.values, *self.functions, *self.interfaces]
        text = "\n\n\n".join(blocks) + "\n"
        return "\n".join(map(_folded, text.split("\n")))

    def _imports(self) -> str:
        groups: list[list[str]] = [[], [], [], []]
        for place in sorted(self._plain):
            groups[0 if place != "attrs" else 1].append(f"import {place}")
        for place in sorted(self._from):
            line = f"from {place} import {', '.join(sorted(self._from[place], key=_import_order))}"
            if len(line) > _WIDTH:
                names = "".join(f"    {n},\n" for n in sorted(self._from[place], key=_import_order))
                line = f"from {place} import (\n{names})"
            if place.startswith("."):
                groups[3].append(line)
            else:
                groups[2 if place.startswith("otelwasm") else 0].append(line)
        return "\n\n".join("\n".join(group) for group in groups if group)


def docstring(text: str, indent: str) -> str:
    """
    *text* as a docstring; empty for no text.
    """
    if not text:
        return ""
    escaped = _wrapped(text, indent).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'{indent}"""\n{escaped}\n{indent}"""\n'


def _wrapped(text: str, indent: str = "") -> str:
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(
        textwrap.fill(
            paragraph,
            _WIDTH - 4,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if "\n " not in paragraph
        else textwrap.indent(paragraph, indent)
        for paragraph in paragraphs
    )


def _folded(line: str) -> str:
    """
    *line*, or several if it is too long: what is in its last parentheses, or what is assigned
    to, gets lines of its own.
    """
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= _WIDTH or line.lstrip().startswith(("#", '"', "from")):
        return line
    targets, equals, value = line.strip().partition(" = ")
    if equals and "," in targets and "(" not in targets:
        return f"{indent}(\n{_filled(targets.split(', '), indent)}\n{indent}) = {value}"
    close = line.rfind(")")
    depth = 0
    for place in range(close, -1, -1):
        depth += (line[place] == ")") - (line[place] == "(")
        if depth == 0:
            inner = _filled(_parts(line[place + 1 : close]), indent)
            folded = "\n".join(map(_folded, inner.split("\n")))
            return f"{line[: place + 1]}\n{folded}\n{indent}{line[close:]}"
    return line


def _parts(text: str) -> list[str]:
    """
    *text* cut at the commas that are in no parentheses.
    """
    parts = [""]
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _filled(parts: list[str], indent: str) -> str:
    """
    As many *parts* on each line as it holds.
    """
    lines = [""]
    for part in parts:
        if lines[-1] and len(indent) + 4 + len(f"{lines[-1]} {part},") > _WIDTH:
            lines.append("")
        lines[-1] += f"{' ' if lines[-1] else ''}{part},"
    return "\n".join(f"{indent}    {line}" for line in lines)


def _import_order(name: str) -> tuple[int, str]:
    # As isort: constants, then classes, then functions.
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)
