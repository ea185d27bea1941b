"""
What is wrong with a component is shown as well as said: the lines that differ, by semver or not.
"""

import pytest

from otelwasm.wit import parse_text
from otelwasm.wit.check import Report, check
from otelwasm.wit.fitting import SEMVER
from otelwasm.wit.ids import is_compatible, track
from otelwasm.wit.problems import diff_lines
from unit.wit.component_text import component

SHOP = """
package shop:till@1.2.0;
interface prices {
  record price { amount: u32, currency: string }
  enum tax { none, half, full }
  ask: func(article: string, tax: tax) -> option<price>;
}
interface printer { line: func(text: string); }
world till { import printer; export prices; }
"""


def report_on(made_for: str, *, asked: str = SHOP) -> Report:
    """
    What is said by semver about a component made for one text where another is asked for.
    """
    data = component(parse_text(made_for).main.world("till"))
    return check(data, parse_text(asked).main, ["till"], fitting=SEMVER)


def test_a_function_is_shown_with_carets() -> None:
    """
    Both forms of a function stand one above the other, with carets below what differs.
    """
    report = report_on(SHOP.replace("func(article: string", "func(article: u64"))

    assert str(report).split("\n") == [
        "export shop:till/prices@1.2.0, function ask: parameter article is u64, the contract says "
        "string",
        "    - ask: func(article: string, tax: tax) -> option<price>;",
        "    + ask: func(article: u64, tax: tax) -> option<price>;",
        "                         ^^^",
    ]


def test_whole_words_are_pointed_at() -> None:
    """
    Carets stand below words, not letters, and where something is missing below what follows.
    """
    other = list(diff_lines(["f: func(a: list<u8>, b: u8);"], ["f: func(a: string, b: u8);"]))
    fewer = list(diff_lines(["f: func(a: u8, b: u8);"], ["f: func(a: u8);"]))

    assert "             ^^^^^^" == other[2]
    assert "               ^" == fewer[2]


def test_a_type_is_shown_by_the_field() -> None:
    """
    Where a named type differs it is that type that is shown, not the function that uses it.
    """
    report = report_on(SHOP.replace("amount: u32, currency", "amount: s64, currency"))

    assert ["mismatch"] == [problem.kind for problem in report.problems]
    assert report.problems[0].text.endswith(
        "the result, its value, record price, field amount is s64, the contract says u32"
    )
    assert report.problems[0].diff == (
        "  record price {",
        "-   amount: u32,",
        "+   amount: s64,",
        "            ^^^",
        "    currency: string,",
        "  }",
    )


def test_lines_that_come_and_go_are_shown_as_such() -> None:
    """
    A case that is missing is a `-` line, one too many a `+` line.
    """
    fewer = report_on(SHOP.replace("half, ", "")).problems[0].diff
    more = report_on(SHOP.replace("half, ", "half, most, ")).problems[0].diff

    assert ("-   half,",) == tuple(line for line in fewer if line[0] != " ")
    assert ("+   most,",) == tuple(line for line in more if line[0] != " ")


def test_what_is_far_from_a_difference_is_left_out() -> None:
    """
    Of a long type only the lines around each difference are shown.
    """
    lines = [f"line {number}" for number in range(30)]
    shown = list(diff_lines(lines, [line for line in lines if line not in ("line 4", "line 20")]))

    assert "- line 4" in shown and "- line 20" in shown and "  …" in shown
    assert 11 == len(shown)


@pytest.mark.parametrize("version", ["1.2.0", "1.2.7", "1.9.0+build", "1.0.0"])
def test_compatible_versions_stand_in_for_one_another(version: str) -> None:
    """
    By semver a component made for another release of the same major version fits.
    """
    report = report_on(SHOP.replace("1.2.0", version))

    assert report.world is not None
    assert () == report.extras


def test_a_newer_release_may_use_only_what_is_there() -> None:
    """
    What a compatible newer version added is not offered, and is named.
    """
    newer = SHOP.replace("1.2.0", "1.3.0").replace("line: func", "cut: func(); line: func")

    assert ["import shop:till/printer@1.3.0, function cut: the contract has no such function"] == [
        problem.text for problem in report_on(newer).problems
    ]


def test_versions_that_are_not_compatible_are_said_as_such() -> None:
    """
    Another major version is not missing but of the wrong version, on either side.
    """
    report = report_on(SHOP.replace("1.2.0", "2.0.0"))

    assert [
        "import shop:till/printer@2.0.0 is not offered; till has shop:till/printer@1.2.0, which is "
        "not compatible by semver",
        "export shop:till/prices@1.2.0 is missing; it has shop:till/prices@2.0.0, which is not "
        "compatible by semver",
    ] == [problem.text for problem in report.problems]
    assert {"version"} == {problem.kind for problem in report.problems}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, ""),
        ("1.4.0", "1"),
        ("0.2.9", "0.2"),
        ("0.0.3", "0.0.3"),
        ("0.0.0", "0.0.0"),
        ("1.0.0-rc.1+x", "1.0.0-rc.1"),
        ("10.0.0+x", "10"),
    ],
)
def test_tracks_are_what_semver_says(version: str | None, expected: str) -> None:
    """
    Compatible versions share a track: the first number that is not 0, or all of it.
    """
    assert expected == track(version)


def test_other_names_are_never_compatible() -> None:
    """
    Versions count only between interfaces of one name; plain names are compared as they are.
    """
    assert is_compatible("a:b/c@1.0.0", "a:b/c@1.1.0")
    assert not is_compatible("a:b/c@1.0.0", "a:b/d@1.0.0")
    assert not is_compatible("a:b/c", "a:b/c@1.0.0")
    assert is_compatible("run", "run")
