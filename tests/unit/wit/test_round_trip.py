"""
A type survives being written as WIT, parsed, put into a component and read again.
"""

from hypothesis import given

from otelwasm.wit import Interface, parse_text, read_component
from otelwasm.wit.check import check
from otelwasm.wit.types import Function, NamedType
from unit.wit.component_text import component
from unit.wit.model_strategies import OWNER, functions, interface_text

WORLD = "world imports { import i; } world exports { export i; }"


@given(functions())
def test_text_says_what_the_model_says(drawn: tuple[list[NamedType], Function]) -> None:
    """
    What is printed as WIT is parsed as the same types and function.
    """
    named, function = drawn
    interface = parse_text(f"package a:b@0.1.0; {interface_text(named, function)}").interface("i")

    assert tuple(named) == interface.types
    assert (function,) == interface.functions


@given(functions())
def test_components_say_what_the_text_says(drawn: tuple[list[NamedType], Function]) -> None:
    """
    Imported and exported, in a component, an interface has the same types and function.
    """
    named, function = drawn
    package = parse_text(f"package a:b@0.1.0; {interface_text(named, function)} {WORLD}").main
    for world in package.worlds:
        data = component(world)
        surface = read_component(data)
        (port,) = surface.imports or surface.exports

        assert isinstance(port.item, Interface)
        assert OWNER == port.name == port.item.id
        assert {type_.name: type_ for type_ in named} == {
            type_.name: type_ for type_ in port.item.types
        }
        assert (function,) == port.item.functions
        assert check(data, package, [world.name]).world is world
