"""
Messages, replies, requests and receipts take what can cross, and refuse the rest where it is made.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from otelwasm_sdk import Message, Permanent, Receipt, Reply, Retryable, state
from otelwasm_sdk.http import Request, Response
from otelwasm_sdk.report import report_of


def test_bodies_are_bytes_or_text() -> None:
    """
    Text is sent as UTF-8, other buffers as their bytes.
    """
    bodies: list[Any] = ["é", "é".encode(), bytearray("é".encode()), memoryview("é".encode())]

    assert ["é".encode()] * 4 == [Reply(body=body).body for body in bodies]
    assert ["é".encode()] * 4 == [Message(body).body for body in bodies]


def test_headers_are_a_mapping_or_pairs() -> None:
    """
    Both become pairs, in order; what came in has its names in lower case.
    """
    pairs = (("X-A", "1"), ("X-B", "2"))

    assert pairs == Reply(headers=dict(pairs)).headers
    assert pairs == Reply(headers=list(pairs)).headers
    assert (("x-a", "1"), ("x-b", "2")) == Message(b"", headers=pairs).headers
    assert "1" == Response(headers=pairs).header("X-a")
    assert "2" == Request("GET", "u", pairs).header("x-B")
    assert Message(b"").header("x-a") is None


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"body": 1}, TypeError, "a body is bytes, or a str .* not int"),
        ({"body": ["a"]}, TypeError, "not list"),
        ({"headers": "x: y"}, TypeError, "headers are a mapping or pairs of str, not str"),
        ({"headers": 1}, TypeError, "not int"),
        ({"headers": ["ab:"]}, TypeError, "'ab:' is no pair"),
        ({"headers": {"a": 1}}, TypeError, "'a': 1 is not"),
        ({"headers": {b"a": "1"}}, TypeError, "b'a': '1' is not"),
        ({"headers": {"a b": "1"}}, ValueError, "'a b' is no name of a header"),
        ({"headers": {"": "1"}}, ValueError, "'' is no name"),
        ({"headers": {"a": "1\r\nb: 2"}}, ValueError, "a control character"),
        ({"status": "200"}, TypeError, "a status is an int, not str"),
        ({"status": True}, TypeError, "not bool"),
        ({"status": 100}, ValueError, "200 to 599, not 100"),
        ({"status": 70_000}, ValueError, "200 to 599, not 70000"),
    ],
)
def test_what_cannot_cross_is_refused(
    arguments: dict[str, Any], error: type[Exception], text: str
) -> None:
    """
    The error says what is expected, and is raised on the line that makes the reply.
    """
    with pytest.raises(error, match=text) as caught:
        Reply(**arguments)

    summary = report_of(caught.value).summary
    assert f"{__file__}:{caught.traceback[0].lineno + 1} in test_what" in summary


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"rejected": -1}, ValueError),
        ({"rejected": 1 << 64}, ValueError),
        ({"rejected": 1.0}, TypeError),
        ({"message": b"no"}, TypeError),
    ],
)
def test_receipts_count_items(arguments: dict[str, Any], error: type[Exception]) -> None:
    """
    A receipt has a whole number of items, and text.
    """
    with pytest.raises(error):
        Receipt(**arguments)


@pytest.mark.parametrize(
    "make",
    [
        lambda text: Request("GET", f"http://a/{text}"),
        lambda text: Request(text, "http://a/"),
        lambda text: Request("GET", "http://a/", {"a": text}),
        lambda text: Reply(body=text),
        lambda text: state.get(text),
    ],
)
def test_text_that_utf8_cannot_say_is_refused(make: Any) -> None:
    """
    A lone surrogate is an error where it is given, in plain Python as in a component.
    """
    with pytest.raises(UnicodeEncodeError, match="surrogates"):
        make("\ud83d")


@pytest.mark.parametrize(
    ("timeout_s", "error"),
    [(0, ValueError), (-1, ValueError), (float("nan"), ValueError), ("1", TypeError)],
)
def test_timeouts_are_seconds(timeout_s: Any, error: type[Exception]) -> None:
    """
    A request waits for some time, and not for ever.
    """
    with pytest.raises(error, match="timeout_s is a number of seconds"):
        Request("GET", "http://a/", timeout_s=timeout_s)


def test_a_success_is_returned() -> None:
    """
    What a server took is a response to go on with.
    """
    for status in (200, 204, 299):
        response = Response(status, "[1]")

        assert response is response.raise_for_status()


@pytest.mark.parametrize(
    ("status", "headers", "after_s"),
    [
        (503, {}, None),
        (500, {"Retry-After": ""}, None),
        (599, {"Retry-After": "soon"}, None),
        (408, {"Retry-After": " 2 "}, 2.0),
        (429, {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0.0),
    ],
)
def test_what_may_pass_is_retryable(
    status: int, headers: dict[str, str], after_s: float | None
) -> None:
    """
    A server that is busy is asked again, not before the time that it says.
    """
    with pytest.raises(Retryable, match=f"the server answered {status}: busy$") as caught:
        Response(status, " busy\n", headers).raise_for_status()

    assert after_s == caught.value.after_s


def test_a_date_to_come_back_is_seconds_from_now() -> None:
    """
    A date is as good as seconds.
    """
    moment = datetime.now(UTC) + timedelta(seconds=100)
    date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with pytest.raises(Retryable) as caught:
        Response(503, headers={"retry-after": date}).raise_for_status()

    assert caught.value.after_s is not None
    assert 90 < caught.value.after_s <= 100


@pytest.mark.parametrize("status", [301, 304, 400, 404, 499])
def test_what_stays_is_permanent(status: int) -> None:
    """
    Asking again cannot help; the reason has the server's words, as many as one can read.
    """
    with pytest.raises(Permanent) as caught:
        Response(status, "x" * 1000).raise_for_status()

    assert f"the server answered {status}: {'x' * 300}" == str(caught.value)


def test_a_response_is_read_as_text() -> None:
    """
    Text never fails; what is no UTF-8 is replaced.
    """
    assert "é\ufffd" == Response(body=b"\xc3\xa9\xff").text()


@pytest.mark.parametrize("came", [Message, lambda body: Response(body=body)])
def test_bodies_are_read_as_json(came: Any) -> None:
    """
    What is no JSON, or nests too deep to be read, is a ValueError.
    """
    assert {"a": [1]} == came(b'{"a": [1]}').json()
    with pytest.raises(ValueError, match="Expecting value"):
        came(b"<html>").json()
    with pytest.raises(ValueError, match=r"recursion|nests"):
        came(b"[" * 100_000).json()
