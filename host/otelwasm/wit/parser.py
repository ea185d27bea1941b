"""
Read the text of one WIT file into syntax nodes.
"""

import attrs

from otelwasm.wit.cursor import Cursor
from otelwasm.wit.items import (
    TYPE_KEYWORDS,
    read_function,
    read_gates,
    read_items,
    read_type_definition,
    read_use,
    refuse_external_id,
    starts_function,
)
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import PackageName
from otelwasm.wit.syntax import (
    ExternNode,
    Gate,
    Id,
    IncludeNode,
    InterfaceNode,
    PackageNode,
    TopUseNode,
    TypeNode,
    UseNode,
    WorldNode,
)

__all__ = ["parse_file"]

_MAX_DEPTH = 100


def parse_file(source: Source) -> PackageNode:
    """
    The syntax of one file; WitError shows where it is wrong.
    """
    cursor = Cursor(source)
    if cursor.keyword == "package":
        mark = cursor.mark()
        docs = cursor.take().docs
        name, at = _package_name(cursor)
        if cursor.eat(";"):
            return _declarations(cursor, PackageNode(source, name, at, docs=docs), end="", depth=0)
        cursor.rewind(mark)
    return _declarations(cursor, PackageNode(source, None, 0), end="", depth=0)


def _declarations(cursor: Cursor, package: PackageNode, *, end: str, depth: int) -> PackageNode:
    """
    Read what a package holds up to the mark *end*, or up to the end of the file.
    """
    declarations: list[InterfaceNode | WorldNode | TopUseNode] = []
    nested: list[PackageNode] = []
    while not (cursor.eat(end) if end else cursor.token.kind == "end"):
        docs = cursor.docs
        gates = read_gates(cursor)
        match cursor.keyword:
            case "interface":
                refuse_external_id(cursor, gates, what="an interface")
                cursor.take()
                name = cursor.id()
                declarations.append(InterfaceNode(name, read_items(cursor), docs, gates))
            case "world":
                refuse_external_id(cursor, gates, what="a world")
                declarations.append(_world(cursor, docs=docs, gates=gates))
            case "use":
                token = cursor.take()
                if gates:
                    raise cursor.error(token, "a `use` outside of interfaces takes no `@…`")
                path = cursor.path()
                alias = cursor.id() if cursor.eat("as") else path.name
                cursor.expect(";")
                declarations.append(TopUseNode(path, alias))
            case "package":
                token = cursor.take()
                if gates:
                    raise cursor.error(token, "a nested package takes no `@…`")
                if depth >= _MAX_DEPTH:
                    raise cursor.error(token, f"packages are nested more than {_MAX_DEPTH} deep")
                package_name, at = _package_name(cursor)
                cursor.expect("{")
                inner = PackageNode(package.source, package_name, at, docs=docs)
                nested.append(_declarations(cursor, inner, end="}", depth=depth + 1))
            case _:
                raise cursor.unexpected("`interface`, `world`, `use` or `package`")
    return attrs.evolve(package, declarations=tuple(declarations), nested=tuple(nested))


def _package_name(cursor: Cursor) -> tuple[PackageName, int]:
    namespace = cursor.id()
    cursor.expect(":")
    name = cursor.id()
    version = cursor.version() if cursor.eat("@") else None
    return PackageName(namespace.text, name.text, version), namespace.at


def _world(cursor: Cursor, *, docs: str, gates: tuple[Gate, ...]) -> WorldNode:
    cursor.expect("world")
    name = cursor.id()
    cursor.expect("{")
    items: list[UseNode | TypeNode | ExternNode | IncludeNode] = []
    while not cursor.eat("}"):
        item_docs = cursor.docs
        item_gates = read_gates(cursor)
        match cursor.keyword:
            case "import" | "export":
                items.append(_extern(cursor, docs=item_docs, gates=item_gates))
            case "use":
                items.append(read_use(cursor, item_gates))
            case "include":
                refuse_external_id(cursor, item_gates, what="an include")
                items.append(_include(cursor, item_gates))
            case kind if kind in TYPE_KEYWORDS:
                items.append(read_type_definition(cursor, docs=item_docs, gates=item_gates))
            case _:
                raise cursor.unexpected(
                    "`import`, `export`, `include`, `use`, a type definition or `}`"
                )
    return WorldNode(name, tuple(items), docs, gates)


def _extern(cursor: Cursor, *, docs: str, gates: tuple[Gate, ...]) -> ExternNode:
    is_import = cursor.take().text == "import"
    mark = cursor.mark()
    label: Id | None = cursor.id()
    assert label is not None
    if not cursor.eat(":"):
        label = None
    elif starts_function(cursor):
        function = read_function(cursor, label, docs=docs, gates=gates)
        cursor.expect(";")
        return ExternNode(is_import, label, function, docs, gates)
    elif cursor.eat("interface"):
        inline = InterfaceNode(label, read_items(cursor), docs, gates)
        return ExternNode(is_import, label, inline, docs, gates)
    elif cursor.ahead(1).text == "/":
        # Not `label: path` but a path that begins with its namespace.
        label = None
    if label is None:
        cursor.rewind(mark)
    path = cursor.path()
    cursor.expect(";")
    return ExternNode(is_import, label, path, docs, gates)


def _include(cursor: Cursor, gates: tuple[Gate, ...]) -> IncludeNode:
    cursor.expect("include")
    path = cursor.path()
    renames: list[tuple[Id, Id]] = []
    if cursor.eat("with"):
        cursor.expect("{")
        renames = cursor.several("}", lambda: _rename(cursor))
    else:
        cursor.expect(";")
    return IncludeNode(path, tuple(renames), gates)


def _rename(cursor: Cursor) -> tuple[Id, Id]:
    name = cursor.id()
    cursor.expect("as")
    return name, cursor.id()
