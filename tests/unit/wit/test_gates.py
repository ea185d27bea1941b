"""
Gates keep items in or out of a contract.
"""

import itertools

import pytest

from otelwasm.errors import WitError
from otelwasm.wit import parse_text
from otelwasm.wit.ids import version_key
from otelwasm.wit.types import Stability

GATED = """
package a:b@1.2.0;
interface i {
  @since(version = 1.1.0)
  @deprecated(version = 1.2.0)
  old: func();
  @unstable(feature = fancy)
  new: func();
}
@unstable(feature = fancy)
interface j {}
world w {
  import i;
  @unstable(feature = fancy)
  import j;
}
"""


def test_unstable_items_are_left_out_until_asked_for() -> None:
    """
    Functions, interfaces and imports of an unstable feature appear when it is named.
    """
    without, all_, fancy = (
        parse_text(GATED, features=features) for features in (frozenset(), None, {"fancy"})
    )

    assert ["old"] == [function.name for function in without.interface("i").functions]
    assert ["i"] == [interface.name for interface in without.main.interfaces]
    assert ["a:b/i@1.2.0"] == [extern.name for extern in without.world("w").imports]
    assert ["old", "new"] == [function.name for function in fancy.interface("i").functions]
    assert 2 == len(fancy.world("w").imports)
    assert all_ == fancy


def test_gates_are_kept_on_what_they_gate() -> None:
    """
    An item knows since when it is there and since when it should not be used.
    """
    old = parse_text(GATED).interface("i").function("old")

    assert Stability(since="1.1.0", deprecated="1.2.0") == old.stability


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@since(version = 1.3.0) f: func();", "`@since` names version 1.3.0, which is later than"),
        ("@since(version = 1.0.0) @unstable(feature = x) f: func();", "not both"),
        ("@deprecated(version = 1.0.0) f: func();", "needs `@since` or `@unstable`"),
        ("@unstable(feature = x) @unstable(feature = y) f: func();", "stands twice on one item"),
        ("@unstable(feature = x) type t = u8; type u = t;", "type `t` is behind a feature"),
        ("@unstable(feature = x) resource r { m: func(); }", "resource `r` is behind a feature"),
    ],
)
def test_gates_that_contradict_are_refused(text: str, message: str) -> None:
    """
    Gates that cannot hold together, or a reference to what is left out, are errors.
    """
    with pytest.raises(WitError) as caught:
        parse_text(f"package a:b@1.2.0; interface i {{ {text} }}")

    assert message in str(caught.value)


def test_since_needs_a_version_to_compare_with() -> None:
    """
    A package without a version cannot say since when it has something.
    """
    with pytest.raises(WitError, match="`@since` needs a version on package a:b"):
        parse_text("package a:b; @since(version = 1.0.0) interface i {}")


def test_versions_sort_as_semver_says() -> None:
    """
    Pre-releases come before their release, numbers before words, and build marks do not count.
    """
    ordered = [
        "0.9.0",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta",
        "1.0.0",
        "1.0.1",
        "1.10.0",
    ]

    assert ordered == sorted(reversed(ordered), key=version_key)
    assert all(version_key(a) < version_key(b) for a, b in itertools.pairwise(ordered))
    assert version_key("1.0.0+b") == version_key("1.0.0")
