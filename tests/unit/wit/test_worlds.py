"""
Worlds hold their imports and exports, and those of the worlds that they include.
"""

import pytest

from otelwasm.errors import WitError
from otelwasm.wit import Interface, World, parse_text
from otelwasm.wit.types import Function, FunctionKind, Own, Record, Resource


def world(text: str, name: str = "w") -> World:
    """
    The world called *name* in package a:b.
    """
    return parse_text(f"package a:b; {text}", "x.wit").world(name)


def names(world: World) -> tuple[list[str], list[str]]:
    """
    The names of a world's imports and exports.
    """
    imports = [extern.name for extern in world.imports]
    return imports, [extern.name for extern in world.exports]


def test_imports_and_exports_are_interfaces_or_functions() -> None:
    """
    A world names interfaces, writes them inline, gives them labels, or lists functions.
    """
    found = world(
        """
        interface i { f: func(); }
        world w {
          import i;
          import label: i;
          export inline: interface { g: func(); }
          /// Runs.
          export run: func() -> u8;
        }
        """
    )
    inline, run = found.exports

    assert (["a:b/i", "label"], ["inline", "run"]) == names(found)
    assert isinstance(inline.item, Interface)
    assert "inline" == inline.item.id
    assert isinstance(run.item, Function)
    assert "Runs." == run.docs


def test_interfaces_come_along_for_their_types() -> None:
    """
    What an import or export uses types of is imported too, dependencies first.
    """
    found = world(
        """
        interface base { type t = u8; }
        interface types { use base.{t}; type u = t; }
        interface i { use types.{u}; }
        world w { export i; }
        """
    )

    assert ["base", "types"] == [interface.name for interface in found.implied]


def test_exports_take_types_from_exports() -> None:
    """
    An interface that is exported itself is not imported for its types.
    """
    found = world(
        """
        interface types { type t = u8; }
        interface i { use types.{t}; }
        world w { export i; export types; }
        """
    )

    assert () == found.implied


def test_an_interface_is_not_seen_from_both_sides() -> None:
    """
    An export that needs an exported interface as an import is refused, and the way out is said.
    """
    with pytest.raises(WitError, match="exports `a:b/base`, and its export `a:b/i` needs"):
        world(
            """
            interface base { type t = u8; }
            interface types { use base.{t}; }
            interface i { use base.{t}; use types.{t as u}; }
            world w { export base; export i; }
            """
        )


def test_included_worlds_add_theirs() -> None:
    """
    An include brings imports and exports; an interface that both have stands once.
    """
    found = world(
        """
        interface i { type t = u8; }
        interface j { use i.{t}; }
        world inner { import j; export run: func(); }
        world w { import j; include inner with { run as start } export stop: func(); }
        """
    )
    start = found.exports[0].item

    assert (["a:b/j"], ["start", "stop"]) == names(found)
    assert isinstance(start, Function)
    assert "start" == start.name
    assert ["i"] == [interface.name for interface in found.implied]


def test_what_is_included_may_be_named_again() -> None:
    """
    An interface that an include brings may be imported once more, before or after.
    """
    found = world(
        """
        interface i {}
        world inner { import i; }
        world w { include inner; import i; include inner; }
        """
    )

    assert ["a:b/i"] == names(found)[0]


def test_included_types_belong_to_the_world_that_includes() -> None:
    """
    Types of an included world get the new owner and name wherever they are mentioned.
    """
    found = world(
        """
        world inner {
          record point { x: u8 }
          resource file { read: func() -> point; }
          import draw: func(at: option<point>) -> file;
        }
        world w { include inner with { point as dot, file as paper } }
        """
    )
    dot, paper = found.types
    draw = found.imports[0].item

    assert isinstance(dot, Record)
    assert ("dot", "a:b/w") == (dot.name, dot.owner)
    assert isinstance(paper, Resource)
    assert paper.functions[0].result == dot
    assert isinstance(draw, Function)
    assert "option<dot>" == str(draw.params[0].type)
    assert isinstance(draw.result, Own)
    assert ("a:b/w", "paper") == (draw.result.resource.owner, draw.result.resource.name)


def test_accessors_of_worlds_keep_their_kind() -> None:
    """
    `get` and `set` of a world are known by the names that components use.
    """
    found = world("world w { import x: get() -> u8; import x: set(value: u8); }")

    assert ["[get]x", "[set]x"] == names(found)[0]
    assert [FunctionKind.GETTER, FunctionKind.SETTER] == [
        extern.item.kind for extern in found.imports if isinstance(extern.item, Function)
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("world w { import f: func(); import f: func(); }", "import `f` is there already"),
        ("world w { import foo-bar: func(); import foobar: func(); }", "too close to `foo-bar`"),
        ("interface i {} world w { export i; export i; }", "export `a:b/i` stands twice"),
        ("world w { include v; } world v { include w; }", "`w` -> `v` -> `w`"),
        ("world w { include v; } interface v {}", "`v` is an interface, not a world"),
        ("world w { include v; }", "unknown interface or world `v`"),
        (
            "interface i {} world v { import i; } world w { include v with { i as j } }",
            "v has no import or export `i` to rename (an interface with an id keeps it)",
        ),
        ("world w { import x; }", "unknown interface or world `x`"),
        ("world w { type t = u; }", "unknown type `u`"),
        ("world w { f: func(); }", "expected `import`, `export`, `include`, `use`, a type"),
        ("world w { import x: set(v: u8); export x: get() -> u8; }", "`[set]x` has no getter"),
    ],
)
def test_wrong_worlds_are_refused(text: str, message: str) -> None:
    """
    A world that no component could have is refused in words.
    """
    with pytest.raises(WitError) as caught:
        world(text)

    assert message in str(caught.value).split("\n")[0]
