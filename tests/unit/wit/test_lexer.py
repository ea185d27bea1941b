"""
WIT text becomes tokens, and errors point into it.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.errors import WitError
from otelwasm.wit import parse_text
from otelwasm.wit.lexer import Source, tokenize, unquote


def kinds(text: str) -> list[tuple[str, str]]:
    """
    Kind and text of every token but the last.
    """
    return [(token.kind, token.text) for token in tokenize(Source("a.wit", text))[:-1]]


def test_words_are_keywords_unless_escaped() -> None:
    """
    A keyword behind a percent sign is an identifier.
    """
    expected = [("keyword", "list"), ("id", "%list"), ("id", "lists"), ("id", "error-contexts")]

    assert expected == kinds("list %list lists error-contexts")


def test_comments_and_spaces_are_no_tokens() -> None:
    """
    Line comments, nested block comments and any line ending separate tokens.
    """
    assert [("id", "a"), ("id", "b"), ("mark", "->")] == kinds("a // x\r\n/* /* */ }*/ b\t->")


def test_doc_comments_stay_with_what_follows() -> None:
    """
    Doc comments lose their marks and one space; plain comments are not among them.
    """
    text = "/// One\n///\n///  two\n// no\n/** three\n * four */ a b"
    first, second = tokenize(Source("a.wit", text))[:2]

    assert "One\n\n two\nthree\nfour" == first.docs
    assert "" == second.docs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n  $", "a.wit:2:3: unexpected character '$'\n      $\n      ^"),
        ("/* a", "a.wit:1:1: a comment that is not closed; expected `*/`\n    /* a\n    ^^"),
        ('"a', "a.wit:1:1: a string that does not end or has a bad escape"),
        ("a\u202eb", "a.wit:1:2: U+202E changes the direction of text and is not allowed"),
        ("\u0149", "a.wit:1:1: U+0149 is deprecated by Unicode and is not allowed"),
        ("a\x07", "a.wit:1:2: U+0007 is a control character and is not allowed"),
    ],
)
def test_bad_text_is_shown_where_it_is(text: str, message: str) -> None:
    """
    The error has file, line and column, the line itself and a caret under the place.
    """
    with pytest.raises(WitError) as caught:
        tokenize(Source("a.wit", text))

    assert str(caught.value).startswith(message)


def test_carets_stand_under_the_word_behind_tabs() -> None:
    """
    Tabs before the place are kept, so that carets stand right in any terminal.
    """
    error = Source("a.wit", "x\n\tlist foo\n").error(8, "here", length=3)

    assert "a.wit:2:7: here\n    \tlist foo\n    \t     ^^^" == str(error)


def test_long_lines_are_cut_around_the_place() -> None:
    """
    A line of thousands of characters does not flood the terminal.
    """
    error = Source("a.wit", "a" * 5000 + "!" + "b" * 5000).error(5000, "here")
    message, line, carets = str(error).split("\n")

    assert "a.wit:1:5001: here" == message
    assert len(line) < 200
    assert "!" == line[len(carets) - 1]


def test_strings_are_unescaped() -> None:
    """
    Escapes in a string mean characters.
    """
    source = Source("a.wit", r'"a\n\u{1F600}\"\41"')

    assert 'a\n\N{GRINNING FACE}"A' == unquote(source, tokenize(source)[0])


def test_impossible_characters_in_strings_are_refused() -> None:
    """
    An escape beyond Unicode is an error at the string.
    """
    source = Source("a.wit", r'"\u{110000}"')

    with pytest.raises(WitError, match="is no character"):
        unquote(source, tokenize(source)[0])


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """
    No text whatever brings the parser down with anything but a WitError.
    """
    try:
        parse_text(text)
    except WitError as error:
        assert str(error).startswith("<text>:")
    else:
        raise AssertionError("text without a package was read")
