"""
Keep batches as objects in an S3 bucket, by signal and time.

The host signs the requests (`sign: {aws_sigv4: ...}` of the capability `http`), so that this
plugin never sees a key. An object is an OTLP request as protobuf; `s3-receiver` reads them.
"""

import hashlib
import re
import zlib
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

import attrs

from otelwasm_sdk import Permanent, Retryable, Signal, exporter, http


@attrs.frozen
class Config:
    # With the bucket: `https://bucket.s3.eu-west-1.amazonaws.com`, `http://minio:9000/bucket`.
    bucket_url: str
    prefix: str = ""
    compression: Literal["none", "gzip"] = "gzip"
    timeout_s: float = 30.0


# Amazon asks to send these again: throttling, trouble of its own, a connection that was too slow.
RETRYABLE_CODES = {"RequestTimeout", "OperationAborted"}


@exporter
class S3Exporter:
    def __init__(self, config: Config) -> None:
        self.config = config

    def send(self, payload: bytes, signal: Signal) -> None:
        body = payload
        if self.config.compression == "gzip":
            body = zlib.compress(payload, wbits=31)
        url = f"{self.config.bucket_url.rstrip('/')}/{quote(self.key(payload, signal))}"
        headers = {"content-type": "application/x-protobuf"}
        response = http.request(
            "PUT", url, headers=headers, body=body, timeout_s=self.config.timeout_s
        )
        if 200 <= response.status < 300:
            return
        text = response.text()
        code, message = (field(name, text) for name in ("Code", "Message"))
        reason = f"{url} answered {response.status} {code}: {message or text[:200]}"
        if response.status >= 500 or response.status in (408, 429) or code in RETRYABLE_CODES:
            raise Retryable(reason)
        raise Permanent(reason)

    def key(self, payload: bytes, signal: Signal) -> str:
        # Sorted by name they are sorted by time. The digest keeps two writers apart.
        moment = datetime.now(UTC)
        digest = hashlib.sha256(payload).hexdigest()[:16]
        suffix = ".gz" if self.config.compression == "gzip" else ""
        day = f"{moment:%Y/%m/%d/%H/%M%S.%f}"
        return f"{self.config.prefix}{signal.label}/{day}-{digest}.binpb{suffix}"


def field(name: str, text: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return found[1] if found else ""
