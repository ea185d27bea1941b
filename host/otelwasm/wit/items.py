"""
Read what interfaces are made of: `use`, types, functions, and the gates before them.
"""

from otelwasm.wit.cursor import Cursor
from otelwasm.wit.lexer import unquote
from otelwasm.wit.syntax import FunctionNode, Gate, Id, Member, TypeExpr, TypeNode, UseNode
from otelwasm.wit.types import FunctionKind, Primitive

__all__ = [
    "TYPE_KEYWORDS",
    "read_function",
    "read_gates",
    "read_items",
    "read_type_definition",
    "read_use",
    "refuse_external_id",
    "starts_function",
]

TYPE_KEYWORDS = frozenset({"type", "record", "variant", "enum", "flags", "resource"})

_PRIMITIVES = frozenset(primitive.value for primitive in Primitive)
_MAX_DEPTH = 100
_FEWEST_AND_MOST = {
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
_GATE_KEYS = {"since": "version", "unstable": "feature", "deprecated": "version"}


def read_items(cursor: Cursor) -> tuple[UseNode | TypeNode | FunctionNode, ...]:
    """
    Read `{ … }` of an interface.
    """
    cursor.expect("{")
    items: list[UseNode | TypeNode | FunctionNode] = []
    while not cursor.eat("}"):
        docs = cursor.docs
        gates = read_gates(cursor)
        if cursor.token.kind == "id":
            name = cursor.id()
            cursor.expect(":")
            items.append(read_function(cursor, name, docs=docs, gates=gates))
            cursor.expect(";")
        elif cursor.keyword == "use":
            items.append(read_use(cursor, gates))
        elif cursor.keyword in TYPE_KEYWORDS:
            items.append(read_type_definition(cursor, docs=docs, gates=gates))
        else:
            raise cursor.unexpected("a function's name, a type definition, `use` or `}`")
    return tuple(items)


def read_use(cursor: Cursor, gates: tuple[Gate, ...]) -> UseNode:
    """
    Read `use path.{name as alias, …};`
    """
    cursor.expect("use")
    path = cursor.path()
    cursor.expect(".")
    cursor.expect("{")

    def name() -> tuple[Id, Id]:
        original = cursor.id()
        return original, cursor.id() if cursor.eat("as") else original

    names = cursor.several("}", name)
    cursor.expect(";")
    return UseNode(path, tuple(names), gates)


def read_type_definition(cursor: Cursor, *, docs: str, gates: tuple[Gate, ...]) -> TypeNode:
    """
    Read `type`, `record`, `variant`, `enum`, `flags` or `resource`.
    """
    kind = cursor.take().text
    name = cursor.id()
    if kind == "type":
        cursor.expect("=")
        target = _type(cursor)
        cursor.expect(";")
        return TypeNode(kind, name, target=target, docs=docs, gates=gates)
    if kind == "resource":
        functions: list[FunctionNode] = []
        if cursor.eat("{"):
            while not cursor.eat("}"):
                functions.append(_resource_function(cursor))
        else:
            cursor.expect(";")
        return TypeNode(kind, name, functions=tuple(functions), docs=docs, gates=gates)
    cursor.expect("{")
    members = cursor.several("}", lambda: _member(cursor, kind))
    return TypeNode(kind, name, tuple(members), docs=docs, gates=gates)


def _member(cursor: Cursor, kind: str) -> Member:
    docs = cursor.docs
    name = cursor.id()
    type_ = None
    if kind == "record":
        cursor.expect(":")
        type_ = _type(cursor)
    elif kind == "variant" and cursor.eat("("):
        type_ = _type(cursor)
        cursor.expect(")")
    return Member(name, type_, docs)


def _resource_function(cursor: Cursor) -> FunctionNode:
    docs = cursor.docs
    gates = read_gates(cursor)
    if cursor.keyword == "constructor":
        token = cursor.take()
        name = Id(token.text, token.at, len(token.text))
        params, result = _signature(cursor)
        kind = FunctionKind.CONSTRUCTOR
        function = FunctionNode(name, kind, False, params, result, docs, gates)
    elif cursor.token.kind == "id":
        name = cursor.id()
        cursor.expect(":")
        kind = FunctionKind.STATIC if cursor.eat("static") else FunctionKind.METHOD
        function = read_function(cursor, name, docs=docs, gates=gates, kind=kind)
    else:
        raise cursor.unexpected("`constructor`, a function's name or `}`")
    cursor.expect(";")
    return function


def starts_function(cursor: Cursor) -> bool:
    """
    Whether a function's type comes next, behind its name and colon.
    """
    token = cursor.token
    if token.kind == "keyword":
        return token.text in ("func", "async")
    return token.text in ("get", "set") and cursor.ahead(1).text == "("


def read_function(
    cursor: Cursor,
    name: Id,
    *,
    docs: str,
    gates: tuple[Gate, ...],
    kind: FunctionKind = FunctionKind.FREE,
) -> FunctionNode:
    """
    Read a function's type, behind its name and colon; `get(…)` and `set(…)` are accessors.
    """
    is_async = cursor.eat("async") is not None
    if not is_async and cursor.token.kind == "id" and starts_function(cursor):
        is_static = kind is FunctionKind.STATIC
        if cursor.take().text == "get":
            kind = FunctionKind.STATIC_GETTER if is_static else FunctionKind.GETTER
        else:
            kind = FunctionKind.STATIC_SETTER if is_static else FunctionKind.SETTER
    else:
        cursor.expect("func")
    params, result = _signature(cursor)
    return FunctionNode(name, kind, is_async, params, result, docs, gates)


def _signature(cursor: Cursor) -> tuple[tuple[Member, ...], TypeExpr | None]:
    cursor.expect("(")
    params = cursor.several(")", lambda: _member(cursor, "record"))
    return tuple(params), _type(cursor) if cursor.eat("->") else None


def _type(cursor: Cursor, depth: int = 0) -> TypeExpr:
    token = cursor.token
    if depth >= _MAX_DEPTH:
        raise cursor.error(token, f"types are nested more than {_MAX_DEPTH} deep")
    if token.kind == "id":
        name = cursor.id()
        return TypeExpr(name.text, name, is_name=True)
    word = cursor.keyword
    place = Id(word, token.at, len(word))
    if word in _PRIMITIVES:
        cursor.take()
        return TypeExpr(word, place)
    if word not in _FEWEST_AND_MOST:
        raise cursor.unexpected("a type")
    cursor.take()
    fewest, most = _FEWEST_AND_MOST[word]
    if fewest == 0 and cursor.token.text != "<":
        return TypeExpr(word, place)
    cursor.expect("<")
    if word in ("own", "borrow"):
        name = cursor.id()
        cursor.expect(">")
        return TypeExpr(word, place, arguments=(TypeExpr(name.text, name, is_name=True),))
    if word == "tuple":
        items = cursor.several(">", lambda: _type(cursor, depth + 1))
        return TypeExpr(word, place, arguments=tuple(items))
    arguments: list[TypeExpr | None] = []
    if word == "result" and cursor.eat("_"):
        arguments.append(None)
        cursor.expect(",")
    arguments.append(_type(cursor, depth + 1))
    length = None
    if word == "list" and cursor.eat(","):
        length = _length(cursor)
    elif len(arguments) < most and (fewest == 2 or cursor.token.text == ","):
        cursor.expect(",")
        arguments.append(_type(cursor, depth + 1))
    cursor.expect(">")
    return TypeExpr(word, place, arguments=tuple(arguments), length=length)


def _length(cursor: Cursor) -> int:
    token = cursor.token
    if token.kind != "integer":
        raise cursor.unexpected("a list's length")
    cursor.take()
    if len(token.text) > 10 or int(token.text) >= 1 << 32:
        raise cursor.error(token, "a list's length is below 2^32")
    return int(token.text)


def read_gates(cursor: Cursor) -> tuple[Gate, ...]:
    """
    Read the `@…` attributes before an item.
    """
    gates: list[Gate] = []
    while at := cursor.eat("@"):
        name = cursor.id()
        key = _GATE_KEYS.get(name.text)
        if key is None and name.text != "external-id":
            known = ", ".join(f"@{gate}" for gate in [*_GATE_KEYS, "external-id"])
            raise cursor.error(name, f"unknown attribute `@{name.text}`; expected {known}")
        cursor.expect("(")
        if key is None:
            token = cursor.token
            if token.kind != "string":
                raise cursor.unexpected("a string")
            cursor.take()
            value = unquote(cursor.source, token)
        else:
            found = cursor.id()
            if found.text != key:
                raise cursor.error(found, f"expected `{key}`, found `{found.text}`")
            cursor.expect("=")
            value = cursor.version() if key == "version" else cursor.id().text
        cursor.expect(")")
        gates.append(Gate(name.text, value, at.at))
    return tuple(gates)


def refuse_external_id(cursor: Cursor, gates: tuple[Gate, ...], *, what: str) -> None:
    """
    Complain about an `@external-id` before *what*, which has no name outside.
    """
    for gate in gates:
        if gate.name == "external-id":
            raise cursor.source.error(
                gate.at, f"{what} takes no `@external-id`", length=len("@external-id")
            )
