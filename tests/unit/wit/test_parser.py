"""
Every form of the language is read; what is wrong is said where it stands.
"""

import pytest

from otelwasm.errors import WitError
from otelwasm.wit import parse_text
from otelwasm.wit.types import (
    Alias,
    Borrow,
    Case,
    Enum,
    Field,
    Flag,
    Flags,
    FunctionKind,
    Future,
    List,
    Map,
    Option,
    Own,
    Param,
    Primitive,
    Record,
    Resource,
    ResourceName,
    Result,
    Stream,
    Tuple,
    Type,
    Variant,
)

OWNER = "a:b/i"
U8, STRING = Primitive.U8, Primitive.STRING


def type_of(text: str) -> Type:
    """
    The type that *text* means.
    """
    alias = parse_text(f"package a:b; interface i {{ type t = {text}; }}").interface("i").type("t")
    assert isinstance(alias, Alias)
    return alias.target


@pytest.mark.parametrize("primitive", list(Primitive))
def test_every_primitive_is_read(primitive: Primitive) -> None:
    """
    A primitive is read from its own spelling.
    """
    assert primitive is type_of(primitive.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("list<u8>", List(U8)),
        ("list<u8, 16>", List(U8, 16)),
        ("option<string>", Option(STRING)),
        ("result", Result()),
        ("result<u8>", Result(U8)),
        ("result<_, u8>", Result(None, U8)),
        ("result<u8, string>", Result(U8, STRING)),
        ("tuple<u8>", Tuple((U8,))),
        ("tuple<u8, string,>", Tuple((U8, STRING))),
        ("map<string, list<u8>>", Map(STRING, List(U8))),
        ("future", Future()),
        ("future<u8>", Future(U8)),
        ("stream", Stream()),
        ("stream<u8>", Stream(U8)),
        ("list<option<result<tuple<u8>>>>", List(Option(Result(Tuple((U8,)))))),
    ],
)
def test_every_anonymous_type_is_read_and_printed(text: str, expected: Type) -> None:
    """
    A type in angle brackets is read, and printed as it is written.
    """
    assert expected == type_of(text)
    assert text.replace(",>", ">") == str(expected)


def test_named_types_keep_order_and_docs() -> None:
    """
    Records, variants, enums and flags hold their parts in order, each with its doc comment.
    """
    interface = parse_text(
        """
        package a:b;
        interface i {
          /// A record.
          record r {
            /// First.
            x: u8,
            y: string,
          }
          variant v { a, b(u8) }
          enum e { a, b }
          flags f { a, b }
        }
        """
    ).interface("i")

    assert (
        Record("r", OWNER, (Field("x", U8), Field("y", STRING))),
        Variant("v", OWNER, (Case("a"), Case("b", U8))),
        Enum("e", OWNER, (Case("a"), Case("b"))),
        Flags("f", OWNER, (Flag("a"), Flag("b"))),
    ) == interface.types
    record = interface.types[0]
    assert isinstance(record, Record)
    assert "A record." == record.docs
    assert ["First.", ""] == [field.docs for field in record.fields]


def test_functions_have_parameters_and_results() -> None:
    """
    A function's parameters keep their names; no arrow means no result.
    """
    interface = parse_text(
        "package a:b; interface i { f: func(x: u8, y: list<u8>) -> u8; g: async func(); }"
    ).interface("i")
    f, g = interface.functions

    assert (Param("x", U8), Param("y", List(U8))) == f.params
    assert U8 is f.result
    assert (False, True) == (f.is_async, g.is_async)
    assert g.result is None


def test_resources_have_functions_of_all_kinds() -> None:
    """
    Methods take `self`, a constructor gives the resource, statics do neither.
    """
    interface = parse_text(
        """
        package a:b;
        interface i {
          resource r {
            constructor(x: u8);
            m: func() -> borrow-free;
            s: static func(other: r, lent: borrow<r>);
            size: get() -> u8;
            size: set(value: u8) -> result<_, string>;
          }
          type borrow-free = list<r>;
        }
        """
    ).interface("i")
    resource = interface.type("r")
    assert isinstance(resource, Resource)
    name = ResourceName(OWNER, "r")
    by_name = {(function.name, function.kind): function for function in resource.functions}

    assert Own(name) == by_name["constructor", FunctionKind.CONSTRUCTOR].result
    assert (Param("self", Borrow(name)),) == by_name["m", FunctionKind.METHOD].params
    assert (
        Param("other", Own(name)),
        Param("lent", Borrow(name)),
    ) == by_name["s", FunctionKind.STATIC].params
    assert U8 is by_name["size", FunctionKind.GETTER].result
    assert Param("value", U8) == by_name["size", FunctionKind.SETTER].params[1]


def test_escaped_keywords_are_names() -> None:
    """
    What a percent sign escapes is used without it.
    """
    interface = parse_text("package a:b; interface %list { %func: func(%type: u8); }")

    assert "func" == interface.interface("list").functions[0].name


def test_get_and_set_are_names_too() -> None:
    """
    `get` and `set` mean accessors only before a parenthesis.
    """
    interface = parse_text("package a:b; interface i { get: func(); set: func(); }").interface("i")

    assert ["get", "set"] == [function.name for function in interface.functions]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("type t u8;", "2:8: expected `=`, found the keyword `u8`"),
        ("f: func(x: u8", "2:14: expected `,` or `)`, found the end of the file"),
        ("type t = list;", "2:14: expected `<`, found `;`"),
        ("type t = list<u8, x>;", "2:19: expected a list's length, found `x`"),
        ("type t = list<u8, 4294967296>;", "2:19: a list's length is below 2^32"),
        ("type t = tuple<>;", "2:10: a tuple has at least one type"),
        ("record list {}", "2:8: expected an identifier, found the keyword `list`; to use it as"),
        ("record r {}", "2:8: record `r` is empty"),
        ("record A-b-2c { x: u8 } type -a = u8;", "2:30: `-a` is no identifier"),
        ("type camelCase = u8;", "2:6: `camelCase` is no identifier; expected words of one case"),
        ("import x: func();", "2:1: expected a function's name, a type definition, `use` or `}`"),
        ("f: func() -> (a: u8);", "2:14: expected a type, found `(`"),
        ("@sinse(version = 1.0.0) f: func();", "2:2: unknown attribute `@sinse`; expected @since"),
        ("@since(version = 1.0) f: func();", "2:18: expected a version such as `0.1.0`, found `1`"),
        ("enum e { a, A }", "2:13: case `A` is too close to `a`"),
        ("record r { a-b: u8, ab: u8 }", "2:21: field `ab` is too close to `a-b`"),
        ("f: func(a: u8, a: u8);", "2:16: parameter `a` is defined twice"),
        ("type t = map<f32, u8>;", "2:10: a map's key is bool, an integer, char or string"),
        ("f: func() -> borrow<r>; resource r;", "2:14: a function cannot return a `borrow<…>`"),
        ("type t = own<u>; type u = u8;", "2:14: `u` is no resource"),
        ("x: get(y: u8) -> u8;", "2:8: a getter has no parameters"),
        ("x: set(y: u8);", "2:1: setter `[set]x` has no getter `[get]x`"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: str, message: str) -> None:
    """
    Each mistake is named at its line and column, with what was expected.
    """
    text = f"package a:b; interface i {{\n{body}"
    text += "" if "end of the file" in message else "\n}"

    with pytest.raises(WitError) as caught:
        parse_text(text, "x.wit")

    assert str(caught.value).startswith(f"x.wit:{message}")


def test_deep_nesting_is_refused_not_followed() -> None:
    """
    Types nested a thousand deep end in a message, not in a crash.
    """
    with pytest.raises(WitError, match="nested more than 100 deep"):
        type_of("list<" * 1000 + "u8" + ">" * 1000)


def test_types_that_double_are_refused() -> None:
    """
    Thirty lines that double a type each time do not take a billion steps.
    """
    lines = ["type t0 = u8;"]
    lines += [f"type t{n + 1} = tuple<t{n}, t{n}>;" for n in range(30)]

    with pytest.raises(WitError, match="more than 1,000,000 parts"):
        parse_text("package a:b; interface i {" + "\n".join(lines) + "}")
