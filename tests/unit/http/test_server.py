"""
The HTTP server takes what HTTP/1.1 allows, refuses the rest, and answers in order.
"""

import asyncio
import socket
from typing import Any

import pytest
import uvloop

from otelwasm.config.values import ByteSize, Duration
from otelwasm.http.connection import HttpLimits
from otelwasm.http.messages import Answer, Request
from unit.http.talking import Seen, answers_to, serving, talk
from unit.otlp.peers import run

GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
)


def bodies(answered: bytes) -> list[bytes]:
    """
    The one-digit bodies of the answers.
    """
    return [part[:1] for part in answered.split(b"\r\n\r\n")[1:]]


def test_requests_are_seen_as_they_were_sent() -> None:
    """
    Method, target, path, headers, body and peer are those of the request.
    """
    head = b"PATCH /x/y?q=1 HTTP/1.1\r\nHost: h\r\nX-A:  one \r\nx-a: two\r\nContent-Length: 2"

    (request,), answered = answers_to(head + b"\r\n\r\nhi")

    assert ("PATCH", "/x/y?q=1", "/x/y") == (request.method, request.target, request.path)
    assert {"host": "h", "x-a": "one, two", "content-length": "2"} == request.headers
    assert b"hi" == request.body
    assert request.peer.startswith("127.0.0.1:")
    assert answered.startswith(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ndate: ")
    assert answered.endswith(b" GMT\r\n\r\n1")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_requests_come_in_any_pieces(size: int) -> None:
    """
    Pipelined requests are answered in order, however their bytes are cut into packets.
    """
    sent = GET + POST + CHUNKED + b"\r\n" + POST + GET
    requests, answered = answers_to(
        *(sent[begin : begin + size] for begin in range(0, len(sent), size))
    )

    assert [b"1", b"2", b"3", b"4", b"5"] == bodies(answered)
    assert [b"", b"hello", b"abc0123456789", b"hello", b""] == [r.body for r in requests]


def test_repeated_heads_differ_in_length_only() -> None:
    """
    A head that is as the one before, but for its content-length, gives its own length and headers.
    """
    heads = [POST.replace(b" 5\r\n\r\nhello", b" %d\r\n\r\n%s" % (n, b"x" * n)) for n in (5, 12, 0)]
    others = [heads[0].replace(b"/p", b"/q"), heads[0].replace(b"\r\n\r\n", b"\r\nA: b\r\n\r\n")]

    requests, _ = answers_to(b"".join(heads + others))

    assert [5, 12, 0, 5, 5] == [len(request.body) for request in requests]
    assert ["5", "12", "0", "5", "5"] == [r.headers["content-length"] for r in requests]
    assert ["/p", "/p", "/p", "/q", "/p"] == [request.path for request in requests]
    assert [None, None, None, None, "b"] == [request.headers.get("a") for request in requests]


def test_body_is_asked_for() -> None:
    """
    `Expect: 100-continue` is answered before the body comes.
    """

    async def scenario() -> list[bytes]:
        async with serving(Seen()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(POST.replace(b"\r\n\r\nhello", b"\r\nExpect: 100-continue\r\n\r\n"))
            first = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"hello")
            second = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            return [first, second]

    first, second = run(scenario())

    assert b"HTTP/1.1 100 Continue\r\n\r\n" == first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("request_", "is_kept"),
    [
        (GET, True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", True),
    ],
)
def test_connections_are_kept_as_asked(request_: bytes, is_kept: bool) -> None:
    """
    HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 closes it unless told otherwise.
    """
    requests, answered = answers_to(request_ + request_)

    assert (2 if is_kept else 1) == len(requests)
    assert (not is_kept) == (b"connection: close\r\n" in answered)


def test_head_is_answered_without_a_body() -> None:
    """
    An answer to HEAD has the length of the body, but no body.
    """
    _, answered = answers_to(GET.replace(b"GET", b"HEAD"))

    assert b"content-length: 1\r\n" in answered
    assert answered.endswith(b"\r\n\r\n")


def test_no_content_has_no_length() -> None:
    """
    An answer of status 204 has neither body nor length.
    """

    async def handle(request: Request) -> Answer:
        return Answer(204, b"ignored")

    _, answered = answers_to(GET, handle=handle)

    assert answered.startswith(b"HTTP/1.1 204 No Content\r\ndate: ")
    assert answered.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(99),
        Answer(200, headers=(("a b", "c"),)),
        Answer(200, headers=(("a", "b\r\nset-cookie: c"),)),
        Answer(200, headers=(("a", "b\0"),)),
        None,
    ],
)
def test_answers_that_cannot_be_sent_are_a_failure(answer: Answer | None) -> None:
    """
    A handler's impossible status or header gives 500; nothing of it is sent.
    """

    async def handle(request: Request) -> Answer:
        return answer  # type: ignore[return-value]

    _, answered = answers_to(GET, handle=handle)

    assert answered.startswith(b"HTTP/1.1 500 ")
    assert b"cookie" not in answered


@pytest.mark.parametrize("waits", [False, True])
def test_failing_handler_is_a_server_error(waits: bool) -> None:
    """
    What a handler raises gives 500 without its words; the connection goes on.
    """

    async def handle(request: Request) -> Answer:
        if waits:
            await asyncio.sleep(0)
        raise RuntimeError("secret")

    _, answered = answers_to(GET + GET, handle=handle)

    assert 2 == answered.count(b"HTTP/1.1 500 ")
    assert b"secret" not in answered


def test_answers_come_in_order() -> None:
    """
    Pipelined requests are handled one after the other, also when the first one waits.
    """
    seen: list[str] = []

    async def handle(request: Request) -> Answer:
        if not seen:
            await asyncio.to_thread(seen.clear)
        seen.append(request.method)
        return Answer(200, b"1" if request.method == "GET" else b"2")

    _, answered = answers_to(GET + POST + GET, handle=handle)

    assert ["GET", "POST", "GET"] == seen
    assert [b"1", b"2", b"1"] == bodies(answered)


def test_reading_pauses_while_a_request_is_handled() -> None:
    """
    A sender cannot make the server hold more than a little of what it sends on.
    """
    released = asyncio.Event()

    async def handle(request: Request) -> Answer:
        await released.wait()
        return Answer(200)

    async def scenario() -> bytes:
        async with serving(handle) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET)
            flood = POST * 1_000_000
            writer.write(flood)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await writer.drain()
            released.set()
            answer = await reader.readexactly(100)
            writer.transport.abort()
            return answer

    assert run(scenario()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_sender_that_reads_no_answers_is_served_no_further() -> None:
    """
    Requests whose answers nobody reads are not handled, and in the end cut off.
    """
    count = 0

    async def handle(request: Request) -> Answer:
        nonlocal count
        count += 1
        return Answer(200, bytes(1 << 20))

    async def scenario() -> None:
        limits = HttpLimits(idle_timeout=Duration(0.3))
        async with serving(handle, limits=limits) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
            writer.write(GET * 1000)
            await reader.readexactly(1)
            with pytest.raises(ConnectionError):
                while True:
                    writer.write(GET)
                    await writer.drain()
                    await asyncio.sleep(0)
            writer.transport.abort()

    run(scenario())

    assert 100 > count


def test_times_out_where_nothing_comes() -> None:
    """
    Connections that are idle too long are closed.
    """

    async def scenario() -> bytes:
        async with serving(Seen(), limits=HttpLimits(idle_timeout=Duration(0.2))) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET)
            answered = await reader.read()
            writer.close()
            return answered

    assert [b"1"] == bodies(run(scenario()))


def test_refusal_reaches_a_sender_that_still_sends() -> None:
    """
    A sender that sends its whole body first still reads why it was refused.
    """

    async def scenario() -> bytes:
        async with serving(Seen(), limits=HttpLimits(body=ByteSize(1000))) as server:
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n"
            return await talk(server.port, head, *[bytes(1_000_000)] * 8)

    answered = run(scenario())

    assert answered.startswith(b"HTTP/1.1 413 ")
    assert b"the body is larger than the limit of 1000 bytes" in answered


def test_closing_answers_what_came_and_keeps_nobody() -> None:
    """
    A closing server answers the request in flight, says so, and lets idle connections go.
    """
    arrived, released = asyncio.Event(), asyncio.Event()

    async def handle(request: Request) -> Answer:
        arrived.set()
        await released.wait()
        return Answer(200, b"1")

    async def scenario() -> tuple[bytes, bytes]:
        async with serving(handle) as server:
            idle, idle_writer = await asyncio.open_connection("127.0.0.1", server.port)
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET)
            await arrived.wait()
            closing = asyncio.create_task(server.close())
            nothing = await idle.read()
            released.set()
            answered = await reader.read()
            await closing
            await server.close()
            for each in (writer, idle_writer):
                each.close()
            return nothing, answered

    nothing, answered = run(scenario())

    assert b"" == nothing
    assert b"connection: close\r\n" in answered
    assert answered.endswith(b"\r\n\r\n1")


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_closing_loses_no_connection(new_loop: Any) -> None:
    """
    Who has connected before the server stops listening is answered, accepted by us or not yet.
    """

    async def scenario() -> list[bytes]:
        async with serving(Seen()) as server:
            senders = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
            for sender in senders[:4]:
                sender.sendall(GET)
            closing = asyncio.create_task(server.close())
            await asyncio.sleep(0)
            senders[4].sendall(GET)
            answered = [await asyncio.to_thread(sender.recv, 1000) for sender in senders]
            await closing
            for sender in senders:
                sender.close()
            return answered

    with asyncio.Runner(loop_factory=new_loop) as runner:
        answered = runner.run(asyncio.wait_for(scenario(), 30))

    assert [True] * 5 == [answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answered]
