"""
YAML becomes plain values; the environment is put in; lines are remembered.
"""

from pathlib import Path

import pytest

from otelwasm.config.document import Document, Mistake
from otelwasm.config.environment import Substituted
from otelwasm.errors import ConfigError


def parse(text: str) -> Document:
    """
    Parse *text* as the file p.yaml.
    """
    return Document.parse(text, path=Path("p.yaml"))


def test_words_become_what_yaml_says() -> None:
    """
    Numbers, truth values and null are read; dates stay text, as nothing here is a date.
    """
    document = parse("{a: 1, b: 2.5, c: true, d: null, e: 'true', f: 2026-01-02, g: yes, h: 0x10}")

    assert document.tree == {
        "a": 1,
        "b": 2.5,
        "c": True,
        "d": None,
        "e": "true",
        "f": "2026-01-02",
        "g": "yes",
        "h": 16,
    }


def test_a_mistake_names_the_line_of_its_key() -> None:
    """
    A message points at the key it is about, however deep.
    """
    document = parse("a:\n  b:\n    - 1\n    - c: 2\n")

    assert (
        document.describe(Mistake(("a", "b", 1, "c"), "too small"))
        == "p.yaml:4: a.b[1].c: too small"
    )


def test_a_missing_key_is_placed_at_what_should_hold_it() -> None:
    """
    What is not there has no line; the nearest thing around it has.
    """
    document = parse("a:\n  b:\n    c: 1\n")

    assert (
        document.describe(Mistake(("a", "b", "x", "y"), "missing")) == "p.yaml:2: a.b.x.y: missing"
    )


def test_a_mapping_has_no_lines_to_name() -> None:
    """
    A configuration built in code is called just that.
    """
    document = Document({"a": 1}, Path())

    assert document.describe(Mistake(("a",), "wrong")) == "configuration: a: wrong"


def test_all_mistakes_come_in_the_order_of_the_file() -> None:
    """
    Several mistakes are one error with a line for each, first things first.
    """
    document = parse("a: 1\nb: 2\n")

    with pytest.raises(ConfigError, match=r"^p.yaml:1: a: first\np.yaml:2: b: second$"):
        document.refuse([Mistake(("b",), "second"), Mistake(("a",), "first")])


def test_environment_variables_are_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `${env:NAME}` works inside text and alone, with a default for what is not set.
    """
    monkeypatch.setenv("HOST", "shop.example")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("NOPE", raising=False)
    document = parse(
        'a: "${env:HOST}:${env:NOPE:-4317}"\n'
        "b: ${env:HOST}\n"
        "c: ${env:NOPE:-}\n"
        "d: ${env:EMPTY:-unused}\n"
    )

    assert document.tree == {"a": "shop.example:4317", "b": "shop.example", "c": "", "d": ""}


def test_a_whole_value_from_the_environment_is_marked() -> None:
    """
    A value that is all substitution may turn out to be a number; text around it settles that.
    """
    document = parse("a: ${env:NOPE:-12}\nb: x${env:NOPE:-12}\n")
    assert isinstance(document.tree, dict)

    assert [Substituted, str] == [type(value) for value in document.tree.values()]


def test_two_dollars_are_one() -> None:
    """
    `$$` writes a dollar, so that the text `${env:HOST}` itself can be written; others stay.
    """
    document = parse('a: "$${env:HOST}"\nb: "^x$"\nc: "${1}"\n')

    assert document.tree == {"a": "${env:HOST}", "b": "^x$", "c": "${1}"}


def test_anchors_and_merges_are_followed() -> None:
    """
    A merged mapping gives the keys that are not there; what is written wins.
    """
    document = parse("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\nlist: {<<: [*b, {z: 4}]}\n")

    assert document.tree == {
        "base": {"x": 1, "y": 2},
        "mine": {"x": 1, "y": 3},
        "list": {"x": 1, "y": 2, "z": 4},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\tb: 1\n", "p.yaml:2: invalid YAML: a tab; YAML is indented by spaces"),
        (
            "a: [1,\nb: 2",
            "p.yaml:2: invalid YAML: expected ',' or ']', but got '<stream end>' "
            "(while parsing a flow sequence that begins on line 1)",
        ),
        (
            "a: b: c",
            "p.yaml:1: invalid YAML: no key can stand here: the line is indented too far, the one "
            "before lacks the space behind its `:`, or a value its quotes",
        ),
        (
            "a:\n  b: 1\n   c: 2\n",
            "p.yaml:3: invalid YAML: no key can stand here: the line is indented too far, the one "
            "before lacks the space behind its `:`, or a value its quotes",
        ),
        (
            "a:\n   b: 1\n  c: 2\n",
            "p.yaml:3: invalid YAML: not indented as the lines that it belongs to, from line 1 on",
        ),
        (
            "a:\n  b:\n    - 1\n   - 2\n",
            "p.yaml:4: invalid YAML: not indented as the lines that it belongs to, from line 2 on",
        ),
        ("a: 1\nb\nc: 2\n", "p.yaml:2: invalid YAML: a key without its `:`"),
        (
            "a: {b: ${env:HOME}}",
            "p.yaml:1: invalid YAML: within { } and [ ] a value with ${…} stands in quotes: "
            '"${env:NAME}"',
        ),
        ("a: *x", "p.yaml:1: invalid YAML: found undefined alias 'x'"),
        ("x: 1\na: @x", "p.yaml:2: invalid YAML: found character '@' that cannot start any token"),
        (
            "a: \x00",
            "p.yaml: invalid YAML: unacceptable character #x0000: "
            "special characters are not allowed",
        ),
        ("a: 1\nb: 2\na: 3\n", "p.yaml:3: a: duplicate key; the first one stands on line 1"),
        ("a:\n  ? [1]\n  : 2\n", "p.yaml:2: a: a key must be a plain word"),
        ("a: &x {b: *x}", "p.yaml:1: a.b: an alias that contains itself"),
        ("a: {<<: 3}", "p.yaml:1: a: <<: expected a mapping to merge"),
        ("a: !foo 2", "p.yaml:1: a: YAML tag !foo is not allowed here"),
        (
            "a: !!python/object:os.system x",
            "p.yaml:1: a: YAML tag tag:yaml.org,2002:python/object:os.system is not allowed here",
        ),
        (
            "a: ${env:OTELWASM_NOPE}",
            "p.yaml:1: a: environment variable OTELWASM_NOPE is not set; "
            "set it, or give a default: ${env:OTELWASM_NOPE:-value}",
        ),
        (
            "a: ${env:1NOPE}",
            "p.yaml:1: a: ${env:1NOPE}: expected ${env:NAME} or ${env:NAME:-default}",
        ),
        (
            "a: Bearer ${TOKEN}",
            "p.yaml:1: a: ${TOKEN}: an environment variable is written ${env:TOKEN}, and the text "
            "itself $${TOKEN}",
        ),
        (
            "a: ${file:x}",
            "p.yaml:1: a: ${file:x}: an environment variable is written ${env:NAME}, and the text "
            "itself $${file:x}",
        ),
        (
            "a: ${env:NOPE-x}",
            "p.yaml:1: a: ${env:NOPE-x}: expected ${env:NAME} or ${env:NAME:-default}",
        ),
    ],
)
def test_what_is_no_good_yaml_is_refused(text: str, message: str) -> None:
    """
    Every mistake in the YAML itself is one message with its line.
    """
    with pytest.raises(ConfigError) as caught:
        parse(text)

    assert message == str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """
    A file that cannot be read is named with the reason.
    """
    with pytest.raises(ConfigError, match=r"nope.yaml: cannot be read: No such file or directory$"):
        Document.read(tmp_path / "nope.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """
    Bytes that are no UTF-8 are named with their place.
    """
    path = tmp_path / "p.yaml"
    path.write_bytes(b"ab\xff")

    with pytest.raises(ConfigError, match=r"p.yaml: not UTF-8 text \(byte 2\)$"):
        Document.read(path)
