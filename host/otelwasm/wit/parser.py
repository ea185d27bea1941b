"""
Read the text of one WIT file into syntax nodes.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from otelwasm.wit.lexer import Source, Token, tokenize, unquote
from otelwasm.wit.model import PackageName
from otelwasm.wit.syntax import (
    ExternNode,
    FunctionNode,
    Gate,
    Id,
    IncludeNode,
    InterfaceNode,
    Member,
    PackageNode,
    Path,
    TopUseNode,
    TypeExpr,
    TypeNode,
    UseNode,
    WorldNode,
)
from otelwasm.wit.types import FunctionKind, Primitive

__all__ = ["parse_file"]

T = TypeVar("T")

_PRIMITIVES = frozenset(primitive.value for primitive in Primitive)
_TYPE_KEYWORDS = ("type", "record", "variant", "enum", "flags", "resource")
_MAX_DEPTH = 100
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRE_RELEASE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?![0-9A-Za-z-])"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-{_PRE_RELEASE}(?:\.{_PRE_RELEASE})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    r"(?![0-9A-Za-z])"
)


def parse_file(source: Source) -> PackageNode:
    """
    The syntax of one file; WitError shows where it is wrong.
    """
    return _Parser(source).file()


class _Parser:
    """
    Recursive descent with one token of lookahead (more where the grammar needs it).
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._place = 0

    # Files and packages

    def file(self) -> PackageNode:
        name: PackageName | None = None
        at = 0
        docs = ""
        if self._peek().text == "package" and self._peek().kind == "keyword":
            start = self._place
            token = self._next()
            found, found_at = self._package_name()
            if self._eat(";"):
                name, at, docs = found, found_at, token.docs
            else:
                self._place = start
        declarations, nested = self._declarations("end", 0)
        return PackageNode(self._source, name, at, declarations, nested, docs)

    def _declarations(
        self, end: str, depth: int
    ) -> tuple[
        tuple[InterfaceNode | WorldNode | TopUseNode, ...],
        tuple[PackageNode, ...],
    ]:
        declarations: list[InterfaceNode | WorldNode | TopUseNode] = []
        nested: list[PackageNode] = []
        while not self._at_end(end):
            docs = self._peek().docs
            gates = self._gates()
            token = self._peek()
            match token.text if token.kind == "keyword" else "":
                case "interface":
                    self._refuse_external_id(gates, "an interface")
                    self._next()
                    name = self._id()
                    items = self._interface_items()
                    declarations.append(InterfaceNode(name, items, docs, gates))
                case "world":
                    self._refuse_external_id(gates, "a world")
                    declarations.append(self._world(docs, gates))
                case "use":
                    self._next()
                    path = self._path()
                    alias = self._id() if self._eat("as") else path.name
                    self._expect(";")
                    declarations.append(TopUseNode(path, alias))
                case "package":
                    nested.append(self._nested_package(docs, gates, depth))
                case _:
                    raise self._unexpected("`interface`, `world`, `use` or `package`")
        return tuple(declarations), tuple(nested)

    def _at_end(self, end: str) -> bool:
        if end == "end":
            return self._peek().kind == "end"
        return self._eat(end) is not None

    def _nested_package(self, docs: str, gates: tuple[Gate, ...], depth: int) -> PackageNode:
        token = self._next()
        if gates:
            raise self._error(token, "a nested package takes no `@…` attributes")
        if depth >= _MAX_DEPTH:
            raise self._error(token, f"packages are nested more than {_MAX_DEPTH} deep")
        name, at = self._package_name()
        self._expect("{")
        declarations, nested = self._declarations("}", depth + 1)
        return PackageNode(self._source, name, at, declarations, nested, docs)

    def _package_name(self) -> tuple[PackageName, int]:
        namespace = self._id()
        self._expect(":")
        name = self._id()
        version = self._version() if self._eat("@") else None
        return PackageName(namespace.text, name.text, version), namespace.at

    def _version(self) -> str:
        token = self._peek()
        match = _VERSION.match(self._source.text, token.at)
        if match is None:
            raise self._unexpected("a version such as `0.1.0`")
        while self._peek().at < match.end() and self._peek().kind != "end":
            self._next()
        return match[0]

    # Worlds

    def _world(self, docs: str, gates: tuple[Gate, ...]) -> WorldNode:
        self._next()
        name = self._id()
        self._expect("{")
        items: list[UseNode | TypeNode | ExternNode | IncludeNode] = []
        while not self._eat("}"):
            item_docs = self._peek().docs
            item_gates = self._gates()
            token = self._peek()
            match token.text if token.kind == "keyword" else "":
                case "import" | "export":
                    items.append(self._extern(item_docs, item_gates))
                case "use":
                    items.append(self._use(item_gates))
                case "include":
                    self._refuse_external_id(item_gates, "an include")
                    items.append(self._include(item_gates))
                case kind if kind in _TYPE_KEYWORDS:
                    items.append(self._type_definition(item_docs, item_gates))
                case _:
                    raise self._unexpected(
                        "`import`, `export`, `include`, `use`, a type definition or `}`"
                    )
        return WorldNode(name, tuple(items), docs, gates)

    def _extern(self, docs: str, gates: tuple[Gate, ...]) -> ExternNode:
        is_import = self._next().text == "import"
        start = self._place
        label = self._id()
        if self._eat(":"):
            if self._starts_function():
                function = self._function(label, docs, gates)
                self._expect(";")
                return ExternNode(is_import, label, function, docs, gates)
            if self._eat("interface"):
                items = self._interface_items()
                inline = InterfaceNode(label, items, docs, gates)
                return ExternNode(is_import, label, inline, docs, gates)
            if self._peek(1).text == "/":
                self._place = start
                label_or_none = None
            else:
                label_or_none = label
        else:
            self._place = start
            label_or_none = None
        path = self._path()
        self._expect(";")
        return ExternNode(is_import, label_or_none, path, docs, gates)

    def _include(self, gates: tuple[Gate, ...]) -> IncludeNode:
        self._next()
        path = self._path()
        renames: list[tuple[Id, Id]] = []
        if self._eat("with"):
            self._expect("{")
            renames = self._list("}", self._rename)
        else:
            self._expect(";")
        return IncludeNode(path, tuple(renames), gates)

    def _rename(self) -> tuple[Id, Id]:
        name = self._id()
        self._expect("as")
        return name, self._id()

    def _path(self) -> Path:
        first = self._id()
        if not self._eat(":"):
            return Path(first)
        package = self._id()
        self._expect("/")
        name = self._id()
        version = self._version() if self._eat("@") else None
        return Path(name, PackageName(first.text, package.text, version))

    def _use(self, gates: tuple[Gate, ...]) -> UseNode:
        self._next()
        path = self._path()
        self._expect(".")
        self._expect("{")
        names = self._list("}", self._use_name)
        self._expect(";")
        return UseNode(path, tuple(names), gates)

    def _use_name(self) -> tuple[Id, Id]:
        name = self._id()
        return name, self._id() if self._eat("as") else name

    # Interfaces

    def _interface_items(self) -> tuple[UseNode | TypeNode | FunctionNode, ...]:
        self._expect("{")
        items: list[UseNode | TypeNode | FunctionNode] = []
        while not self._eat("}"):
            docs = self._peek().docs
            gates = self._gates()
            token = self._peek()
            if token.kind == "id":
                name = self._id()
                self._expect(":")
                items.append(self._function(name, docs, gates))
                self._expect(";")
            elif token.kind == "keyword" and token.text == "use":
                items.append(self._use(gates))
            elif token.kind == "keyword" and token.text in _TYPE_KEYWORDS:
                items.append(self._type_definition(docs, gates))
            else:
                raise self._unexpected("a function's name, a type definition, `use` or `}`")
        return tuple(items)

    def _type_definition(self, docs: str, gates: tuple[Gate, ...]) -> TypeNode:
        kind = self._next().text
        name = self._id()
        if kind == "type":
            self._expect("=")
            target = self._type()
            self._expect(";")
            return TypeNode(kind, name, target=target, docs=docs, gates=gates)
        if kind == "resource":
            functions: list[FunctionNode] = []
            if self._eat("{"):
                while not self._eat("}"):
                    functions.append(self._resource_function())
            else:
                self._expect(";")
            return TypeNode(kind, name, functions=tuple(functions), docs=docs, gates=gates)
        self._expect("{")
        member = {"record": self._field, "variant": self._case}.get(kind, self._label)
        return TypeNode(kind, name, tuple(self._list("}", member)), docs=docs, gates=gates)

    def _field(self) -> Member:
        docs = self._peek().docs
        name = self._id()
        self._expect(":")
        return Member(name, self._type(), docs)

    def _case(self) -> Member:
        docs = self._peek().docs
        name = self._id()
        type_ = None
        if self._eat("("):
            type_ = self._type()
            self._expect(")")
        return Member(name, type_, docs)

    def _label(self) -> Member:
        docs = self._peek().docs
        return Member(self._id(), None, docs)

    def _resource_function(self) -> FunctionNode:
        docs = self._peek().docs
        gates = self._gates()
        token = self._peek()
        if token.kind == "keyword" and token.text == "constructor":
            self._next()
            name = Id(token.text, token.at, len(token.text))
            params, result = self._signature()
            function = FunctionNode(
                name, FunctionKind.CONSTRUCTOR, False, params, result, docs, gates
            )
        elif token.kind == "id":
            name = self._id()
            self._expect(":")
            is_static = self._eat("static") is not None
            function = self._function(name, docs, gates, is_static=is_static, is_member=True)
        else:
            raise self._unexpected("`constructor`, a function's name or `}`")
        self._expect(";")
        return function

    # Functions and types

    def _starts_function(self) -> bool:
        token = self._peek()
        if token.kind == "keyword":
            return token.text in ("func", "async")
        return token.text in ("get", "set") and self._peek(1).text == "("

    def _function(
        self,
        name: Id,
        docs: str,
        gates: tuple[Gate, ...],
        *,
        is_static: bool = False,
        is_member: bool = False,
    ) -> FunctionNode:
        is_async = self._eat("async") is not None
        if not is_async and self._peek().kind == "id" and self._starts_function():
            is_getter = self._next().text == "get"
            if is_static:
                kind = FunctionKind.STATIC_GETTER if is_getter else FunctionKind.STATIC_SETTER
            else:
                kind = FunctionKind.GETTER if is_getter else FunctionKind.SETTER
        else:
            self._expect("func")
            kind = FunctionKind.METHOD if is_member else FunctionKind.FREE
            kind = FunctionKind.STATIC if is_static else kind
        params, result = self._signature()
        return FunctionNode(name, kind, is_async, params, result, docs, gates)

    def _signature(self) -> tuple[tuple[Member, ...], TypeExpr | None]:
        self._expect("(")
        params = self._list(")", self._field)
        return tuple(params), self._type() if self._eat("->") else None

    def _type(self, depth: int = 0) -> TypeExpr:
        token = self._peek()
        if depth >= _MAX_DEPTH:
            raise self._error(token, f"types are nested more than {_MAX_DEPTH} deep")
        if token.kind == "id":
            name = self._id()
            return TypeExpr(name.text, name, is_name=True)
        word = token.text
        place = Id(word, token.at, len(word))
        if token.kind == "keyword" and word in _PRIMITIVES:
            self._next()
            return TypeExpr(word, place)
        if token.kind != "keyword" or word not in _ARGUMENTS:
            raise self._unexpected("a type")
        self._next()
        at_least, at_most = _ARGUMENTS[word]
        if at_least == 0 and self._peek().text != "<":
            return TypeExpr(word, place)
        self._expect("<")
        if word in ("own", "borrow"):
            name = self._id()
            self._expect(">")
            return TypeExpr(word, place, arguments=(TypeExpr(name.text, name, is_name=True),))
        if word == "tuple":
            items = self._list(">", lambda: self._type(depth + 1))
            return TypeExpr(word, place, arguments=tuple(items))
        arguments: list[TypeExpr | None] = []
        if word == "result" and self._eat("_"):
            arguments.append(None)
            self._expect(",")
        arguments.append(self._type(depth + 1))
        length = None
        if word == "list" and self._eat(","):
            length = self._length()
        elif len(arguments) < at_most and (at_least == 2 or self._peek().text == ","):
            self._expect(",")
            arguments.append(self._type(depth + 1))
        self._expect(">")
        return TypeExpr(word, place, arguments=tuple(arguments), length=length)

    def _length(self) -> int:
        token = self._peek()
        if token.kind != "integer":
            raise self._unexpected("a list's length")
        self._next()
        if len(token.text) > 10 or int(token.text) >= 1 << 32:
            raise self._error(token, "a list's length is below 2^32")
        return int(token.text)

    # Attributes

    def _gates(self) -> tuple[Gate, ...]:
        gates: list[Gate] = []
        while token := self._eat("@"):
            name = self._id()
            if name.text not in _GATE_KEYS:
                raise self._source.error(
                    name.at,
                    f"unknown attribute `@{name.text}`; expected {', '.join(map('@{}'.format, _GATE_KEYS))}",
                    length=name.length,
                )
            self._expect("(")
            key = _GATE_KEYS[name.text]
            if key is None:
                string = self._next()
                if string.kind != "string":
                    raise self._error(string, f"expected a string, found {string}")
                value = unquote(self._source, string)
            else:
                found = self._id()
                if found.text != key:
                    raise self._source.error(
                        found.at, f"expected `{key}`, found `{found.text}`", length=found.length
                    )
                self._expect("=")
                value = self._version() if key == "version" else self._id().text
            self._expect(")")
            gates.append(Gate(name.text, value, token.at))
        return tuple(gates)

    def _refuse_external_id(self, gates: tuple[Gate, ...], what: str) -> None:
        for gate in gates:
            if gate.name == "external-id":
                raise self._source.error(gate.at, f"{what} takes no `@external-id`", length=12)

    # Tokens

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self._peek()
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def _eat(self, text: str) -> Token | None:
        token = self._peek()
        if token.text == text and token.kind in ("mark", "keyword"):
            return self._next()
        return None

    def _expect(self, text: str) -> Token:
        token = self._eat(text)
        if token is None:
            raise self._unexpected(f"`{text}`")
        return token

    def _id(self) -> Id:
        token = self._peek()
        if token.kind != "id":
            hint = f"; to use it as a name write `%{token.text}`" if token.kind == "keyword" else ""
            raise self._error(token, f"expected an identifier, found {token}{hint}")
        self._next()
        return Id(token.text.removeprefix("%"), token.at, len(token.text))

    def _list(self, end: str, item: Callable[[], T]) -> list[T]:
        found: list[T] = []
        while not self._eat(end):
            found.append(item())
            if not self._eat(","):
                if not self._eat(end):
                    raise self._unexpected(f"`,` or `{end}`")
                break
        return found

    def _unexpected(self, expected: str) -> Exception:
        token = self._peek()
        return self._error(token, f"expected {expected}, found {token}")

    def _error(self, token: Token, message: str) -> Exception:
        return self._source.error(token.at, message, length=max(1, len(token.text)))


_ARGUMENTS = {
    "list": (1, 1),
    "map": (2, 2),
    "option": (1, 1),
    "result": (0, 2),
    "tuple": (1, 1),
    "future": (0, 1),
    "stream": (0, 1),
    "own": (1, 1),
    "borrow": (1, 1),
}
_GATE_KEYS: dict[str, str | None] = {
    "since": "version",
    "unstable": "feature",
    "deprecated": "version",
    "external-id": None,
}
