"""
Names are found in their interface, file, package and among other packages.
"""

import pytest

from otelwasm.errors import WitError
from otelwasm.wit import parse_text
from otelwasm.wit.types import Alias, Enum, Own, Primitive, Record


def test_types_are_found_wherever_they_stand() -> None:
    """
    A type may be used before the line that defines it; the order of the source stays.
    """
    interface = parse_text(
        "package a:b; interface i { record r { x: later } type later = u8; }"
    ).interface("i")
    record, later = interface.types

    assert isinstance(record, Record)
    assert record.fields[0].type is later


def test_used_types_stay_those_of_their_interface() -> None:
    """
    A `use` gives a type another name here; its owner is where it comes from.
    """
    packages = parse_text(
        """
        package a:b@1.2.3-rc.1;
        interface types { enum color { red } }
        interface middle { use types.{color}; }
        interface i { use middle.{color as paint}; f: func() -> paint; }
        """
    )
    interface = packages.interface("i")
    color = packages.interface("types").type("color")

    assert isinstance(color, Enum)
    assert "a:b/types@1.2.3-rc.1" == color.owner
    assert [("paint", color)] == [(use.name, use.type) for use in interface.uses]
    assert interface.functions[0].result is color
    assert ["middle"] == [used.name for used in interface.dependencies]


def test_a_resource_under_another_name_is_the_same() -> None:
    """
    Handles on an alias of a resource, or on a used one, are handles on the resource itself.
    """
    packages = parse_text(
        """
        package a:b;
        interface types { resource r; type s = r; }
        interface i { use types.{s as t}; f: func(x: own<t>, y: t); }
        """
    )
    x, y = packages.interface("i").functions[0].params

    assert isinstance(x.type, Own)
    assert "a:b/types" == x.type.resource.owner
    assert isinstance(y.type, Alias)
    assert x.type == y.type.target


def test_files_have_names_of_their_own_for_interfaces() -> None:
    """
    A `use` at the top renames an interface for its file.
    """
    packages = parse_text(
        "package a:b; use c:d/e@1.0.0 as x; interface i { use x.{t}; }"
        "package c:d@1.0.0 { interface e { type t = u8; } }"
    )
    alias = packages.interface("i").type("t")

    assert isinstance(alias, Alias)
    assert Primitive.U8 is alias.target
    assert "c:d/e@1.0.0" == alias.owner


def test_lookups_name_what_is_missing() -> None:
    """
    A wrong name in a program is a KeyError that says where it was looked for.
    """
    packages = parse_text("package a:b; interface i {}")

    with pytest.raises(KeyError, match="package a:b has no world 'w'"):
        packages.world("w")
    with pytest.raises(KeyError, match="package a:b has no interface 'j'"):
        packages.main.interface("j")
    with pytest.raises(KeyError, match="interface a:b/i has no function 'f'"):
        packages.interface("a:b/i").function("f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("interface i { f: func(x: sgnal); enum signal { a } }", "did you mean `signal`?"),
        ("interface i { type t = float64; }", "unknown type `float64`; it is called `f64` now"),
        ("interface i { type t = f; f: func(); }", "`f` is a function, not a type"),
        ("interface i { use tpyes.{t}; } interface types {}", "did you mean `types`?"),
        ("interface i { use j.{t}; } interface j { f: func(); }", "a:b/j has no type `t`"),
        ("interface i { use j.{f}; } interface j { f: func(); }", "is a function, not a type"),
        ("interface i { use w.{t}; } world w {}", "`w` is a world, not an interface"),
        ("interface i { use c:d/e.{t}; }", "unknown package c:d; is it missing in deps/?"),
        (
            "interface i { use c:d/e@2.0.0.{t}; } package c:d@1.0.0 { interface e {} }",
            "unknown package c:d@2.0.0; found c:d@1.0.0",
        ),
        ("interface i { use a:b/i.{t}; }", "packages depend on each other: a:b -> a:b"),
        ("interface i { use j.{}; } interface j { use i.{}; }", "`i` -> `j` -> `i`"),
        ("interface i { type t = list<u>; record u { x: t } }", "itself: `t` -> `u` -> `t`"),
        ("interface i {} world i {}", "`i` is defined twice"),
        ("interface i { type t = u8; t: func(); }", "name `t` is there already"),
        ("interface i { resource r { r: func(); } }", "`[method]r.r` is too close to `r`"),
        ("package a:b { }", "package a:b is defined twice, first in x.wit"),
        ("package c:d { package e:f { } }", "a nested package stands at a file's top level"),
        ("use j; interface i {}", "unknown interface or world `j`"),
        ("use i as j; use i as j; interface i {}", "the name `j` is defined twice in this file"),
    ],
)
def test_wrong_names_are_refused(text: str, message: str) -> None:
    """
    A name that means nothing, too much or something else is refused in words.
    """
    with pytest.raises(WitError) as caught:
        parse_text(f"package a:b;\n{text}", "x.wit")

    first_line = str(caught.value).split("\n")[0]
    assert message in first_line
    assert first_line.startswith("x.wit:2:")


def test_a_package_needs_a_name() -> None:
    """
    Text without a package's name says what to write.
    """
    with pytest.raises(WitError, match=r"x\.wit: no `package namespace:name;` is found"):
        parse_text("interface i {}", "x.wit")
