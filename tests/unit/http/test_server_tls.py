"""
The HTTP server speaks TLS as it speaks plain text.
"""

import asyncio
import ssl
from pathlib import Path

import pytest

from otelwasm.config.values import Duration
from otelwasm.http.connection import HttpLimits
from otelwasm.http.messages import Answer, Request
from unit.http.talking import Seen, serving
from unit.otlp.certificates import issue_certificates
from unit.otlp.peers import run

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def tls_of(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """
    Both sides of TLS, of certificates in *folder*.
    """
    issue_certificates(folder)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(folder / "server.pem", folder / "server.key")
    return server_side, ssl.create_default_context(cafile=str(folder / "ca.pem"))


def test_tls(tmp_path: Path) -> None:
    """
    Over TLS it is the same.
    """
    server_side, client_side = tls_of(tmp_path)

    async def scenario() -> list[bytes]:
        async with serving(Seen(), tls=server_side) as server:
            reader, writer = await asyncio.open_connection(
                "localhost", server.port, ssl=client_side
            )
            writer.write(GET + LAST)
            answered = await reader.read()
            writer.close()
            return [part[:1] for part in answered.split(b"\r\n\r\n")[1:]]

    assert [b"1", b"2"] == run(scenario())


@pytest.mark.parametrize("is_secure", [False, True])
def test_last_answer_has_time_to_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_secure: bool
) -> None:
    """
    A sender that reads a connection's last answer slowly gets all of it.
    """
    monkeypatch.setattr("otelwasm.http.connection._LINGER_S", 0)
    server_side, client_side = tls_of(tmp_path) if is_secure else (None, None)

    async def handle(request: Request) -> Answer:
        return Answer(200, bytes(32 << 20), (("connection", "close"),))

    async def scenario() -> bytes:
        limits = HttpLimits(head_timeout=Duration(0.2))
        async with serving(handle, limits=limits, tls=server_side) as server:
            reader, writer = await asyncio.open_connection(
                "localhost", server.port, ssl=client_side
            )
            writer.write(GET)
            head = await reader.readexactly(1)
            idle, other = await asyncio.open_connection("127.0.0.1", server.port)
            await idle.read()  # until its time is up: the server has looked at all connections
            other.close()
            answer = head + await reader.read()
            writer.close()
            return answer

    assert len(run(scenario())) > 32 << 20
