"""
A stream is cut into its messages, however it is cut on its way.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.receivers.framing import Framer, Framing, FramingError


def messages_of(
    framing: Framing, *pieces: bytes, limit_bytes: int = 100, ends: bool = True
) -> list[bytes]:
    """
    The messages in a stream that comes in *pieces*.
    """
    framer = Framer(framing, limit_bytes=limit_bytes)
    for piece in pieces:
        framer.add(piece)
        framer.cut()
    if ends:
        framer.end()
    return list(framer.messages)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"one\r\ntwo\r\n", [b"one", b"two"]),
        (b"one\0two\0", [b"one", b"two"]),
        (b"one\0\ntwo\0\n", [b"one", b"two"]),
        (b"\n\none\n\r\n\n", [b"one"]),
        (b"one\nthe last without its end", [b"one", b"the last without its end"]),
        (b"5 hello\n", [b"5 hello"]),
        (b"a\rb\n", [b"a\rb"]),
    ],
)
def test_lines(stream: bytes, expected: list[bytes]) -> None:
    """
    A line feed, CRLF or NUL ends a message; the stream's end does, too; empty lines are none.
    """
    assert expected == messages_of("newline", stream)


@pytest.mark.parametrize("framing", ["octet_counted", "auto"])
@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"5 hello3 two", [b"hello", b"two"]),
        (b"7 a\nb\0c\r\n", [b"a\nb\0c\r\n"]),
        (b"5 hello\n3 two\r\n\0", [b"hello", b"two"]),
        (b"10 0123456789", [b"0123456789"]),
    ],
)
def test_counted_messages(framing: Framing, stream: bytes, expected: list[bytes]) -> None:
    """
    A count says exactly which bytes are the message; what ends lines may stand between messages.
    """
    assert expected == messages_of(framing, stream)


@pytest.mark.parametrize("framing", ["newline", "auto"])
def test_messages_are_cut_as_they_are_wanted(framing: Framing) -> None:
    """
    So many and no more; the next ones come where the last ones ended.
    """
    framer = Framer(framing, limit_bytes=100)
    framer.add(b"one\ntwo\nthree\nfo")
    framer.cut(2)
    first = list(framer.messages)
    framer.messages.clear()
    framer.add(b"ur\n")
    framer.cut(2)

    assert ([b"one", b"two"], [b"three", b"four"]) == (first, list(framer.messages))


def test_each_message_may_be_framed_its_own_way() -> None:
    """
    `auto` looks at how each message begins.
    """
    stream = b"<13>line\n8 <13>a\nb\n<13>12 is no count here\n05 neither\n"

    assert messages_of("auto", stream) == [
        b"<13>line",
        b"<13>a\nb\n"[:8],
        b"<13>12 is no count here",
        b"05 neither",
    ]


def test_digits_at_the_end_of_a_stream_are_a_line() -> None:
    """
    A number that may have become a count is a message once nothing comes any more.
    """
    assert [b"12"] == messages_of("auto", b"12")
    assert [] == messages_of("auto", b"12", ends=False)


@pytest.mark.parametrize("framing", ["octet_counted", "auto"])
def test_a_counted_message_that_is_cut_short_is_said(framing: Framing) -> None:
    """
    The stream's end inside a counted message is an error, after the messages before it.
    """
    framer = Framer(framing, limit_bytes=100)
    framer.add(b"2 ok10 short")
    framer.cut()

    with pytest.raises(FramingError, match="inside a message, of which 8 bytes are there"):
        framer.end()
    assert [b"ok"] == list(framer.messages)


@pytest.mark.parametrize(
    ("framing", "stream", "reason"),
    [
        ("newline", b"ok\n" + b"x" * 102, "a line is longer than max_message_size, which is 100 B"),
        ("newline", b"ok\n" + b"x" * 102 + b"\n", "a line is longer"),
        ("auto", b"ok\n" + b"x" * 102, "a line is longer"),
        ("octet_counted", b"2 ok101 x", "a message of 101 B is longer than max_message_size"),
        ("auto", b"ok\n9999999999 x", "is longer than max_message_size"),
        ("octet_counted", b"2 ok<13>hello", "expected a message's length.* found b'<13>hello'"),
        ("octet_counted", b"2 ok12345678901 x", "expected a message's length"),
        ("octet_counted", b"2 ok0 x", "expected a message's length"),
    ],
)
def test_a_stream_that_cannot_be_read_on_is_an_error(
    framing: Framing, stream: bytes, reason: str
) -> None:
    """
    A message that is too long, or a length that is none, ends the stream; those before it stay.
    """
    framer = Framer(framing, limit_bytes=100)

    with pytest.raises(FramingError, match=reason):
        framer.add(stream)
        framer.cut()
    assert [b"ok"] == list(framer.messages)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\0"])
def test_a_line_may_be_as_long_as_the_limit(line_end: bytes) -> None:
    """
    What ends a line is not counted.
    """
    assert [b"x" * 100] == messages_of("newline", b"x" * 100 + line_end)


MESSAGES = st.lists(st.binary(min_size=1, max_size=20))


@given(MESSAGES, st.data())
def test_where_a_stream_is_cut_makes_no_difference(
    messages: list[bytes], data: st.DataObject
) -> None:
    """
    Whatever pieces a stream of counted messages comes in, the messages are the same.
    """
    stream = b"".join(b"%d %s" % (len(message), message) for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert messages == messages_of("octet_counted", *pieces)
    assert messages == messages_of("auto", *pieces)


def outcome_of(framing: Framing, pieces: list[bytes]) -> tuple[list[bytes], bool]:
    """
    The messages in a stream, and whether it can be read to its end.
    """
    framer = Framer(framing, limit_bytes=20)
    try:
        for piece in pieces:
            framer.add(piece)
            framer.cut()
        framer.end()
    except FramingError:
        return list(framer.messages), False
    return list(framer.messages), True


STREAMS = st.lists(
    st.sampled_from([b"\n", b"\0", b"\r", b" ", b"5 ", b"12", b"0", b"9", b"<1>", b"x" * 7])
)


@pytest.mark.parametrize("framing", ["newline", "octet_counted", "auto"])
@given(stream=STREAMS)
def test_any_stream_has_one_outcome(framing: Framing, stream: list[bytes]) -> None:
    """
    Whether it comes at once, in pieces or byte by byte, its messages and its mistakes are the same.
    """
    whole = b"".join(stream)
    bytewise = [whole[at : at + 1] for at in range(len(whole))]

    assert outcome_of(framing, [whole]) == outcome_of(framing, stream)
    assert outcome_of(framing, [whole]) == outcome_of(framing, bytewise)
