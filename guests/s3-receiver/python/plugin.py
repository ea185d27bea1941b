"""
Read the objects that `s3-exporter` keeps in an S3 bucket, each once, and remember which.

The host signs the requests. Objects are read in the order of their names, which is that of their
times. One that comes late is still found while fewer than `remembered` later ones were read.
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree

import attrs

from otelwasm_sdk import (
    Batch,
    Logs,
    Metrics,
    Permanent,
    Profiles,
    Retryable,
    Traces,
    emit,
    http,
    log,
    meter,
    receiver,
    state,
)


@attrs.frozen
class Config:
    # With the bucket: `https://bucket.s3.eu-west-1.amazonaws.com`, `http://minio:9000/bucket`.
    bucket_url: str
    prefix: str = ""
    # How many to read in one poll: it has to end before the plugin's deadline.
    objects_per_poll: int = 20
    remembered: int = 200
    # What a compressed object may come to.
    limit_bytes: int = 64 << 20
    timeout_s: float = 10.0


BATCHES: dict[str, type[Batch]] = {
    made.signal.label: made for made in (Traces, Metrics, Logs, Profiles)
}


class Unreadable(Exception):
    """An object that is no batch; it stays where it is."""


@receiver
class S3Receiver:
    def __init__(self, config: Config) -> None:
        self.config = config
        # All up to the cursor was read, and of what follows these.
        kept = json.loads(state.get("progress") or b'{"cursor": "", "done": []}')
        self.cursor: str = kept["cursor"]
        self.done: set[str] = set(kept["done"])

    def poll(self) -> float | None:
        count = 0
        for key in self.keys():
            if key in self.done:
                continue
            if count == self.config.objects_per_poll:
                return 0.0  # there is more
            self.take(key)
            count += 1
        return None

    def take(self, key: str) -> None:
        try:
            emit(self.batch(key))
        except (Unreadable, Permanent) as error:
            log.error(f"{key} is passed over: {error}")
            meter.add("s3.passed_over", 1)
        self.done.add(key)
        for key in sorted(self.done)[: max(0, len(self.done) - self.config.remembered)]:
            self.done.remove(key)
            self.cursor = key
        progress = {"cursor": self.cursor, "done": sorted(self.done)}
        # Only now: an object is read again, and not lost, when something ends before this.
        state.set("progress", json.dumps(progress).encode())

    def keys(self) -> Iterator[str]:
        query = {"list-type": "2", "encoding-type": "url", "prefix": self.config.prefix}
        if self.cursor:
            query["start-after"] = self.cursor
        while True:
            listing = self.listing(query)
            for element in listing.iter():
                if name_of(element) == "Key":
                    yield unquote(element.text or "")
            query["continuation-token"] = text_of(listing, "NextContinuationToken")
            if text_of(listing, "IsTruncated") != "true" or not query["continuation-token"]:
                return

    def listing(self, query: dict[str, str]) -> Any:
        try:
            return ElementTree.fromstring(self.get(f"?{urlencode(query, quote_via=quote)}"))
        except ElementTree.ParseError as error:
            raise Retryable(f"the listing of {self.config.bucket_url} is no XML: {error}") from None

    def batch(self, key: str) -> Batch:
        signal = key.removeprefix(self.config.prefix).partition("/")[0]
        if signal not in BATCHES:
            raise Unreadable(f"its folder is {signal!r}, not one of {', '.join(BATCHES)}")
        body = self.get(f"/{quote(key)}")
        if key.endswith(".gz"):
            body = self.decompressed(body)
        batch = BATCHES[signal](body)
        len(batch)  # looks through it, and raises Malformed, which is Permanent
        return batch

    def decompressed(self, body: bytes) -> bytes:
        unzip = zlib.decompressobj(wbits=31)
        try:
            plain = unzip.decompress(body, self.config.limit_bytes)
        except zlib.error as error:
            raise Unreadable(f"it is no gzip: {error}") from None
        if not unzip.eof:
            raise Unreadable(f"it is cut short, or more than {self.config.limit_bytes} bytes")
        return plain

    def get(self, path: str) -> bytes:
        url = self.config.bucket_url.rstrip("/") + path
        try:
            response = http.get(url, timeout_s=self.config.timeout_s)
        except http.Refused as error:
            raise Retryable(str(error)) from None  # no object is to blame for it
        if response.status == 404 and path.startswith("/"):
            raise Unreadable("it is gone")
        if response.status != 200:
            # Be it the server's trouble or a wrong key: nothing is passed over because of it.
            raise Retryable(f"{url} answered {response.status}: {response.text()[:300]}")
        return response.body


def name_of(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def text_of(tree: Any, name: str) -> str:
    return next((each.text or "" for each in tree.iter() if name_of(each) == name), "")
