"""
Bodies are packed and unpacked, and no bomb goes off.
"""

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard

from otelwasm.otlp.compression import TooLargeError, compress, decompress

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
}
every_encoding = pytest.mark.parametrize("encoding", PACK)


@every_encoding
@pytest.mark.parametrize("size", [0, 1, 1_000, 300_000])
def test_what_others_packed_is_unpacked(encoding: str, size: int) -> None:
    """
    A body is unpacked as it was, at exactly the limit.
    """
    data = bytes(number % 251 for number in range(size))

    assert data == decompress(encoding, PACK[encoding](data), limit_bytes=size)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_others_unpack_what_is_packed(encoding: str) -> None:
    """
    What is packed here is unpacked by other libraries; `none` leaves it alone.
    """
    unpack = gzip.decompress if encoding == "gzip" else zstandard.decompress

    assert unpack(compress(encoding, b"a" * 10_000)) == b"a" * 10_000
    assert compress("none", b"a") == b"a"


def test_zstd_without_a_declared_size_is_unpacked() -> None:
    """
    A stream whose sender did not know its size beforehand is unpacked, too.
    """
    stream = zstandard.ZstdCompressor().compressobj()
    packed = stream.compress(b"a" * 300_000) + stream.flush()

    assert decompress("zstd", packed, limit_bytes=300_000) == b"a" * 300_000


@every_encoding
def test_bomb_is_stopped_at_the_limit(encoding: str) -> None:
    """
    A small body that unpacks to a huge one is refused by its size.
    """
    bomb = PACK[encoding](bytes(64 << 20))

    with pytest.raises(TooLargeError, match="larger than the limit of 1000 bytes"):
        decompress(encoding, bomb, limit_bytes=1000)


@every_encoding
def test_damaged_bodies_are_refused(encoding: str) -> None:
    """
    A body that is cut off, changed, followed by more, or no packed data is refused.
    """
    packed = PACK[encoding](bytes(number % 251 for number in range(5_000)))
    damaged = [packed[:-1], packed[:5], b"", b"hello, world", packed + packed, packed + b"\0"]

    for body in damaged:
        with pytest.raises(ValueError, match="the body"):
            decompress(encoding, body, limit_bytes=1 << 20)


def test_wide_windows_are_refused() -> None:
    """
    A zstd body may not make its receiver keep more than 8 MiB to unpack it.
    """
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = stream.compress(b"a" * 1000) + stream.flush()

    with pytest.raises(ValueError, match="no valid zstd"):
        decompress("zstd", packed, limit_bytes=1 << 20)
