"""
A component's imports and exports are read with their types, through all that tools put between.
"""

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.errors import ComponentError
from otelwasm.wit import Interface, PackageName, Surface, parse_text, read_component
from otelwasm.wit.check import check_surface
from otelwasm.wit.ids import parse_id
from otelwasm.wit.types import (
    Alias,
    Borrow,
    Field,
    Function,
    FunctionKind,
    Future,
    List,
    Map,
    Own,
    Param,
    Primitive,
    Record,
    Resource,
    ResourceName,
    Stream,
    Variant,
)
from unit.wit.component_text import component

U8 = Primitive.U8
PACKAGE = parse_text(
    """
    package a:b@0.1.0;
    interface types { record point { x: u32, y: u32 } type points = list<point>; }
    interface i {
      use types.{point as dot, points};
      variant shape { none, one(dot), many(points) }
      f: func(at: dot) -> shape;
    }
    world w { import i; export i; }
    """
).main


def surface_of(text: str) -> Surface:
    """
    What the component with this text shows.
    """
    return read_component(bytes(wasmtime.wat2wasm(f"(component {text})")))


def interface_of(surface: Surface, name: str) -> Interface:
    """
    The interface imported or exported as *name*.
    """
    for port in (*surface.exports, *surface.imports):
        if port.name == name and isinstance(port.item, Interface):
            return port.item
    raise AssertionError(f"no instance {name}")


def test_types_have_the_names_of_their_interface() -> None:
    """
    Imported and exported types are those of the WIT: names, owners, uses under another name.
    """
    surface = read_component(component(PACKAGE.world("w")))
    names = ["a:b/types@0.1.0", "a:b/i@0.1.0"]

    assert names == [port.name for port in surface.imports]
    assert names[1:] == [port.name for port in surface.exports]
    for port in (*surface.imports, *surface.exports):
        assert isinstance(port.item, Interface)
        wanted = PACKAGE.interface(port.item.name)
        assert wanted.types == port.item.types
        assert wanted.functions == port.item.functions
        assert [use.name for use in wanted.uses] == [use.name for use in port.item.uses]


def test_plain_functions_and_types_are_ports_too() -> None:
    """
    A component may import and export functions and types without an interface.
    """
    surface = surface_of(
        """
        (type $r (record (field "x" u8)))
        (import "point" (type $point (eq $r)))
        (import "f" (func $f (param "at" $point) (result u8)))
        (import "m" (core module))
        (export "g" (func $f))
        """
    )
    point = Record("point", "", (Field("x", U8),))

    assert [("point", "type"), ("f", "func"), ("m", "module")] == [
        (port.name, port.kind) for port in surface.imports
    ]
    assert point == surface.imports[0].item
    assert Function("g", (Param("at", point),), U8) == surface.exports[0].item


def test_resources_are_known_by_name() -> None:
    """
    A resource has its functions; handles on it name it, in other interfaces as well.
    """
    surface = surface_of(
        """
        (import "a:b/files" (instance $files
          (export "file" (type $file (sub resource)))
          (export "[constructor]file" (func (result (own $file))))
          (export "[method]file.read" (func (param "self" (borrow $file)) (result (list u8))))
          (export "[static]file.open" (func (param "x" u8) (result (own $file))))
          (export "sync" (func (param "which" (borrow $file))))))
        (alias export $files "file" (type $file))
        (import "a:b/users" (instance
          (alias outer 1 $file (type $outer))
          (export "file" (type $file (eq $outer)))
          (export "use" (func (param "it" (own $file))))))
        """
    )
    name = ResourceName("a:b/files", "file")
    files, users = interface_of(surface, "a:b/files"), interface_of(surface, "a:b/users")
    resource = files.type("file")
    assert isinstance(resource, Resource)

    assert [
        ("constructor", FunctionKind.CONSTRUCTOR),
        ("read", FunctionKind.METHOD),
        ("open", FunctionKind.STATIC),
    ] == [(function.name, function.kind) for function in resource.functions]
    assert (Param("self", Borrow(name)),) == resource.functions[1].params
    assert ["sync"] == [function.name for function in files.functions]
    assert Own(name) == users.functions[0].params[0].type
    assert ["file"] == [use.name for use in users.uses]


def test_a_second_name_of_a_resource_is_an_alias() -> None:
    """
    A resource's other names in its own interface are aliases, and handles may use any of them.
    """
    surface = surface_of(
        """
        (import "a:b/files" (instance
          (export "file" (type $file (sub resource)))
          (export "log" (type $log (eq $file)))
          (export "open" (func (param "near" (borrow $log)) (result (own $log))))))
        """
    )
    handle = Own(ResourceName("a:b/files", "file"))
    log = Alias("log", "a:b/files", handle)
    files = interface_of(surface, "a:b/files")

    assert log == files.type("log")
    assert (Param("near", Borrow(handle.resource)),) == files.functions[0].params
    assert log == files.functions[0].result


def test_newer_types_are_read() -> None:
    """
    Fixed lists, maps, streams, futures and async functions are read as such.
    """
    data = bytes.fromhex("0061736d0d000100") + _section(
        7,
        b"\x06"
        + b"\x67\x7d\x04"  # list<u8, 4>
        + b"\x63\x73\x7d"  # map<string, u8>
        + b"\x66\x01\x7d"  # stream<u8>
        + b"\x65\x00"  # future
        + b"\x43\x04\x01a\x00\x01b\x01\x01c\x02\x01d\x03\x01\x00"
        + b"\x42\x02\x02\x03\x02\x01\x04\x04\x00\x01f\x01\x00",  # names type 4 of outside
    )
    data += _section(10, b"\x01\x00\x01f\x01\x04")
    function = read_component(data).imports[0].item

    assert isinstance(function, Function)
    assert function.is_async
    assert [
        List(U8, 4),
        Map(Primitive.STRING, U8),
        Stream(U8),
        Future(),
    ] == [param.type for param in function.params]


def test_instances_are_followed_through_components() -> None:
    """
    An export that comes out of a component within a component is read there, arguments and all.
    """
    surface = surface_of(
        """
        (import "a:b/in" (instance $in (export "run" (func (param "x" u8)))))
        (component $inner
          (import "impl" (instance $impl (export "run" (func (param "x" u8)))))
          (component $innermost
            (import "run" (func $run (param "x" u8)))
            (type $v (variant (case "a") (case "b" u8)))
            (export $named "v" (type $v))
            (export "run" (func $run)))
          (instance $made (instantiate $innermost (with "run" (func $impl "run"))))
          (instance $bag (export "again" (instance $made)))
          (export "out" (instance $bag)))
        (instance $one (instantiate $inner (with "impl" (instance $in))))
        (alias export $one "out" (instance $out))
        (alias export $out "again" (instance $again))
        (export "a:b/out" (instance $again))
        """
    )
    out = interface_of(surface, "a:b/out")

    assert (Function("run", (Param("x", U8),)),) == out.functions
    assert ["v"] == [type_.name for type_ in out.types]
    assert isinstance(out.types[0], Variant)


def test_a_second_name_is_an_alias() -> None:
    """
    A type that is exported twice in one interface is an alias the second time.
    """
    surface = surface_of(
        """
        (import "a:b/i" (instance
          (type $bare (enum "x"))
          (export "e" (type $e (eq $bare)))
          (export "f" (type $f (eq $e)))))
        """
    )
    e, f = interface_of(surface, "a:b/i").types

    assert Alias("f", "a:b/i", e) == f


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(export "f" (func 7))', "there is no func 7"),
        ('(type u8) (import "f" (func (type 0)))', "type 0 is no function's type"),
        (
            '(type (func)) (import "t" (type (eq 0))) (import "f" (func (param "x" 1)))',
            "is no value's type",
        ),
        ('(import "i" (instance $i)) (export "f" (func $i "f"))', "has no func 'f'"),
        (
            '(component $c (import "f" (func))) (instance $i (instantiate $c))'
            '(export "i" (instance $i))',
            "an instantiation passes nothing for func 'f'",
        ),
        (
            '(import "c" (component $c)) (instance $i (instantiate $c)) (export "i" (instance $i))',
            "a component that it does not contain",
        ),
    ],
)
def test_references_to_nothing_are_refused(text: str, message: str) -> None:
    """
    An index or name that leads nowhere is an error that names it.
    """
    with pytest.raises(ComponentError) as caught:
        surface_of(text)

    assert message in str(caught.value)


def test_types_that_double_are_refused() -> None:
    """
    A small component whose types grow beyond reason does not take its reader's time.
    """
    lines = ["(type $t0 (tuple u8 u8))"]
    lines += [f"(type $t{n + 1} (tuple $t{n} $t{n}))" for n in range(40)]
    lines.append('(import "f" (func (param "x" $t40)))')

    with pytest.raises(ComponentError, match="a type has more than 1,000,000 parts"):
        surface_of("\n".join(lines))


def test_components_that_double_are_refused() -> None:
    """
    Components that instantiate each other twice, twenty deep, do not take forever either.
    """
    text = '(component $c0 (type $t (enum "x")) (export "t" (type $t)))'
    for n in range(20):
        text = (
            f"(component $c{n + 1} {text}"
            f"(instance $a (instantiate $c{n})) (instance $b (instantiate $c{n}))"
            '(alias export $a "t" (type $t)) (alias export $b "t" (type $u))'
            '(type $both (tuple $t $u)) (export "t" (type $both)))'
        )

    with pytest.raises(ComponentError, match="more than 50,000 definitions"):
        surface_of(f'{text} (instance $i (instantiate $c20)) (export "i" (instance $i))')


@given(st.binary(max_size=40), st.integers(8, 400), st.integers(0, 20))
def test_damaged_components_are_read_or_refused(noise: bytes, at: int, cut: int) -> None:
    """
    Whatever stands in the bytes, the reader and the check end with a report or a ComponentError.
    """
    whole = component(PACKAGE.world("w"))
    data = whole[:at] + noise + whole[at + cut :]
    try:
        surface = read_component(data)
    except ComponentError as error:
        assert str(error)
    else:
        check_surface(surface, PACKAGE)


def test_ids_are_taken_apart() -> None:
    """
    The name of an interface holds package, version and interface; other names do not.
    """
    assert (PackageName("a", "b", "1.0.0-x.1+y"), "c") == parse_id("a:b/c@1.0.0-x.1+y")
    assert (PackageName("a", "b"), "c") == parse_id("a:b/c")
    assert parse_id("run") is None
    assert parse_id("[method]a.b") is None


def _section(id_: int, content: bytes) -> bytes:
    return bytes([id_, len(content)]) + content
