"""
Put messages into their frames, and take them out: a flag, a length of four bytes, the message.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from otelwasm.otlp.compression import TooLargeError, decompress
from otelwasm.otlp.grpc.status import Code, RpcError

__all__ = ["EMPTY", "PREFIX_BYTES", "prefix", "read_message", "read_prefix", "unpack", "unpacked"]

PREFIX_BYTES = 5
# Unpacking more than this, or to more than that, would hold up the event loop.
_INLINE_BYTES = 16 << 10
_INLINE_UNPACKED_BYTES = 256 << 10
# The frame of an empty message.
EMPTY = bytes(PREFIX_BYTES)


def prefix(length: int, *, is_compressed: bool = False) -> bytes:
    """
    Return what stands before a message of *length* bytes.
    """
    if length >> 32:
        raise RpcError(Code.RESOURCE_EXHAUSTED, f"a message of {length} bytes is over gRPC's 4 GiB")
    return bytes((is_compressed,)) + length.to_bytes(4, "big")


def read_prefix(head: bytes, *, limit_bytes: int) -> int:
    """
    Return the length that a message's first five bytes announce; raise RpcError over the limit.
    """
    if head[0] > 1:
        raise RpcError(Code.INTERNAL, f"a message has the flag {head[0]}; gRPC knows 0 and 1")
    length = int.from_bytes(head[1:PREFIX_BYTES], "big")
    if length > limit_bytes:
        raise RpcError(
            Code.RESOURCE_EXHAUSTED, f"a message of {length} bytes; the limit is {limit_bytes}"
        )
    return length


def read_message(chunks: Sequence[bytes], *, length: int) -> bytes:
    """
    Join the chunks of one frame that announced *length* bytes; raise RpcError if it has others.
    """
    first = chunks[0]
    message = (
        first[PREFIX_BYTES:]
        if len(chunks) == 1
        else b"".join((memoryview(first)[PREFIX_BYTES:], *chunks[1:]))
    )
    if len(message) < length:
        raise RpcError(
            Code.INTERNAL, f"a message is cut off: {len(message)} bytes came of {length}"
        )
    if len(message) > length:
        raise RpcError(
            Code.UNIMPLEMENTED, f"{len(message) - length} bytes follow the one message of a call"
        )
    return message


async def unpack(encoding: bytes, message: bytes, *, limit_bytes: int) -> bytes:
    """
    Do as `unpacked` does: at once what is small and stays so, and all else on another thread.
    """
    if len(message) <= _INLINE_BYTES:
        quick_bytes = min(limit_bytes, _INLINE_UNPACKED_BYTES)
        with contextlib.suppress(ValueError):
            return decompress(encoding.decode(), message, limit_bytes=quick_bytes)
    return await asyncio.to_thread(unpacked, encoding, message, limit_bytes=limit_bytes)


def unpacked(encoding: bytes, message: bytes, *, limit_bytes: int) -> bytes:
    """
    Decompress *message*; raise RpcError if it cannot be, or becomes too large.
    """
    try:
        return decompress(encoding.decode(), message, limit_bytes=limit_bytes)
    except TooLargeError as error:
        raise RpcError(
            Code.RESOURCE_EXHAUSTED, f"a message unpacks to more than the limit of {limit_bytes}"
        ) from error
    except ValueError as error:
        raise RpcError(Code.INTERNAL, str(error)) from error
