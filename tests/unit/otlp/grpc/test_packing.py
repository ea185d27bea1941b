"""
Packing and unpacking keeps nobody else waiting.
"""

import random
import threading

import pytest

from otelwasm.otlp.compression import compress, decompress
from otelwasm.otlp.endpoints import GrpcTarget
from otelwasm.otlp.grpc.channel import GrpcChannel
from unit.otlp.grpc.talking import METHOD, a_server
from unit.otlp.peers import run


async def echoes_of(messages: list[bytes]) -> list[bytes]:
    """
    Call a server of ours with each message, packed; return the answers.
    """
    async with a_server() as server:
        channel = GrpcChannel(GrpcTarget.parse(f"127.0.0.1:{server.port}"), encoding="gzip")
        try:
            return [(await channel.call(METHOD, message)).message for message in messages]
        finally:
            await channel.close()


def test_much_is_not_unpacked_on_the_loops_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What comes large, or becomes so, holds up no other call.
    """
    sizes = []

    def watched(encoding: str, data: bytes, *, limit_bytes: int) -> bytes:
        content = decompress(encoding, data, limit_bytes=limit_bytes)
        if threading.current_thread() is threading.main_thread():
            sizes.append(len(content))
        return content

    monkeypatch.setattr("otelwasm.otlp.grpc.messages.decompress", watched)
    messages = [b"small", bytes(1 << 20), random.Random(1).randbytes(20_000)]

    assert messages == run(echoes_of(messages))
    assert [5] == sizes


def test_much_is_not_packed_on_the_loops_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A large message that is packed holds up no other call.
    """
    sizes = []

    def watched(encoding: str, data: bytes) -> bytes:
        if threading.current_thread() is threading.main_thread():
            sizes.append(len(data))
        return compress(encoding, data)

    monkeypatch.setattr("otelwasm.otlp.grpc.channel.compress", watched)
    messages = [b"small", bytes(100_000)]

    assert messages == run(echoes_of(messages))
    assert [5] == sizes
