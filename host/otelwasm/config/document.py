"""
Read a YAML file into plain values and remember the line of each, for messages.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from otelwasm.config.environment import substitute
from otelwasm.errors import ConfigError

__all__ = ["Document", "KeyPath", "Mistake", "dotted_path", "plain_value"]

KeyPath = tuple[str | int, ...]

_TYPE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}
_TEXT_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "timestamp", "value")}


@attrs.frozen
class Mistake:
    """
    What is wrong with the value at a path; *line* where it is not the path's own.

    Without a text it only says where the value stands.
    """

    path: KeyPath
    text: str = ""
    line: int | None = None


@attrs.frozen
class Document:
    """
    A configuration as plain values, with what is needed to say where each stands.
    """

    tree: object
    folder: Path
    name: str | None = None
    lines: Mapping[KeyPath, int] = attrs.field(factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Document":
        """
        Read a YAML file.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
        return cls.parse(text, path=path)

    @classmethod
    def parse(cls, text: str, *, path: Path) -> "Document":
        """
        Read YAML text that stands, or could stand, in the file *path*.
        """
        try:
            root = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            raise ConfigError(f"{path}{_problem(error, text)}") from error
        except YAMLError as error:
            problem = str(error).partition("\n")[0]
            raise ConfigError(f"{path}: invalid YAML: {problem}") from error
        reader = _Reader()
        tree = reader.read(root, ()) if root is not None else None
        document = cls(tree, path.parent.absolute(), name=str(path), lines=reader.lines)
        document.refuse(reader.mistakes)
        return document

    def describe(self, mistake: Mistake) -> str:
        """
        Write one mistake as `pipeline.yaml:12: processors.batch.timeout: what is wrong`.
        """
        where = self.name or "configuration"
        if line := self._line(mistake):
            where = f"{where}:{line}"
        return ": ".join(filter(None, (where, dotted_path(mistake.path), mistake.text)))

    def refuse(self, mistakes: Iterable[Mistake]) -> None:
        """
        Raise all *mistakes* as one error, in the order of the file; do nothing without any.
        """
        ordered = sorted(mistakes, key=self._line)
        if ordered:
            raise ConfigError("\n".join(map(self.describe, ordered)))

    def _line(self, mistake: Mistake) -> int:
        path = mistake.path
        while path and path not in self.lines:
            path = path[:-1]
        return mistake.line or self.lines.get(path, 0)


def dotted_path(path: KeyPath) -> str:
    """
    Write a path as `processors.wasm/redact.config.keys[0]`.
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class _Reader:
    """
    Turns YAML nodes into plain values; collects lines and mistakes on the way.
    """

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.mistakes: list[Mistake] = []
        self._open: list[Node] = []

    def read(self, node: Node, path: KeyPath) -> object:
        """
        Return the plain value of *node*.
        """
        self.lines.setdefault(path, node.start_mark.line + 1)
        if any(node is outer for outer in self._open):
            self.mistakes.append(Mistake(path, "an alias that contains itself"))
            return None
        self._open.append(node)
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            if isinstance(node, SequenceNode):
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.pop()

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        merged: list[Node] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag.endswith(":merge"):
                merged += value.value if isinstance(value, SequenceNode) else [value]
            elif not isinstance(key, ScalarNode):
                self.mistakes.append(Mistake(path, "a key must be a plain word", line))
            elif key.value in values:
                first = self.lines[(*path, key.value)]
                text = f"duplicate key; the first one stands on line {first}"
                self.mistakes.append(Mistake((*path, key.value), text, line))
            else:
                self.lines[(*path, key.value)] = line
                values[key.value] = self.read(value, (*path, key.value))
        for source in merged:
            if not isinstance(source, MappingNode):
                self.mistakes.append(Mistake(path, "<<: expected a mapping to merge"))
                continue
            for key, value in source.value:
                if isinstance(key, ScalarNode) and key.value not in values:
                    values[key.value] = self.read(value, (*path, key.value))
        return values

    def _scalar(self, node: Node, path: KeyPath) -> object:
        text: str = node.value
        if node.tag in _TYPE_TAGS:
            return plain_value(text)
        if node.tag not in _TEXT_TAGS:
            self.mistakes.append(Mistake(path, f"YAML tag {node.tag} is not allowed here"))
            return None
        try:
            return substitute(text)
        except ValueError as error:
            self.mistakes.append(Mistake(path, str(error)))
            return None


def plain_value(text: str) -> object:
    """
    Read a word as YAML does where it has no quotes: number, truth value, null or text.
    """
    yaml = YAML(typ="safe", pure=True)
    node = ScalarNode(yaml.resolver.resolve(ScalarNode, text, (True, False)), text)
    if node.tag not in _TYPE_TAGS:
        return text
    value: object = yaml.constructor.construct_object(node)
    return value


def _problem(error: MarkedYAMLError, text: str) -> str:
    """
    Where *text* is no YAML, and why: in words for whoever wrote it, where the parser has its own.
    """
    problem = (error.problem or str(error)).removeprefix("but ")
    begun, found = error.context_mark, error.problem_mark or error.context_mark
    if found is None:
        return f": invalid YAML: {problem}"
    line, since = found.line + 1, begun.line + 1 if begun is not None else found.line + 1
    written = text.splitlines()[found.line] if found.line < len(text.splitlines()) else ""
    if "'\\t'" in problem:
        problem = "a tab; YAML is indented by spaces"
    elif problem.startswith("expected <block end>"):
        problem = f"not indented as the lines that it belongs to, from line {since} on"
    elif problem.startswith("could not find expected ':'"):
        line, problem = since, "a key without its `:`"
    elif problem.startswith("mapping values are not allowed here"):
        problem = (
            "no key can stand here: the line is indented too far, the one before lacks the space"
            " behind its `:`, or a value its quotes"
        )
    elif "${" in written and problem.startswith("expected ',' or"):
        problem = 'within { } and [ ] a value with ${…} stands in quotes: "${env:NAME}"'
    elif error.context is not None and since != line:
        problem = f"{problem} ({error.context} that begins on line {since})"
    return f":{line}: invalid YAML: {problem}"
