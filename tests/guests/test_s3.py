"""
The S3 examples keep batches in a real S3 server, and read them back.
"""

import gzip
import itertools
import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from guests.examples import trial
from guests.s3 import Bucket
from otelwasm.testing import Trial, a_log_record, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import Batch, Permanent, Retryable
from otelwasm_sdk.http import Failed, Refused, Request, Response

BATCHES: list[Batch[Any]] = [
    traces(a_span("get")),
    metrics(a_metric("m")),
    logs(a_log_record("one")),
]
FAKE = "http://s3.example.com/bucket"
NAMES = (f"bucket-{number}" for number in itertools.count())


@pytest.fixture
def bucket(s3: str) -> Iterator[Bucket]:
    """
    An empty bucket.
    """
    made = Bucket(f"{s3}/{next(NAMES)}")
    answer = made.send(Request("PUT", made.url))
    assert 200 == answer.status, answer.text()
    yield made
    made.close()


def exporter(bucket: Bucket, **config: object) -> Trial:
    return trial("s3-exporter", config={"bucket_url": bucket.url, **config}, http=bucket.send)


def receiver(bucket: Bucket, state: dict[str, bytes], **config: object) -> Trial:
    config |= {"bucket_url": bucket.url}
    return trial("s3-receiver", config=config, http=bucket.send, state=state)


def emitted(done: Trial) -> list[bytes]:
    return [bytes(batch) for batch in done.emitted]


def keys_in(bucket: Bucket) -> list[str]:
    answer = bucket.send(Request("GET", f"{bucket.url}?list-type=2"))
    listing = ElementTree.fromstring(answer.body)
    return [each.text or "" for each in listing.iter() if each.tag.endswith("}Key")]


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_what_is_kept_comes_back(bucket: Bucket, compression: str) -> None:
    """
    Batches of all signals are objects, named by signal and time, that the receiver reads back.
    """
    config = {"prefix": "otel data/ü+&/", "compression": compression}
    kept = exporter(bucket, **config)
    for batch in BATCHES:
        kept.send(batch)

    read = receiver(bucket, {}, prefix=config["prefix"])
    read.poll()

    assert sorted(map(bytes, BATCHES)) == sorted(emitted(read))
    assert {type(batch) for batch in BATCHES} == {type(batch) for batch in read.emitted}
    suffix = ".binpb.gz" if compression == "gzip" else ".binpb"
    for key, signal in zip(keys_in(bucket), ("logs", "metrics", "traces"), strict=True):
        assert key.startswith(f"{config['prefix']}{signal}/20") and key.endswith(suffix)


def test_each_object_is_read_once(bucket: Bucket) -> None:
    """
    What was read is remembered across restarts, also when it is much, and what is new is found.
    """
    state: dict[str, bytes] = {}
    batches = [bytes(logs(a_log_record(str(number)))) for number in range(8)]
    for number, batch in enumerate(batches[:6]):
        bucket.put(f"logs/{number}.binpb", batch)
    first = receiver(bucket, state, objects_per_poll=4, remembered=3)

    assert 0.0 == first.poll()
    assert batches[:4] == emitted(first)

    second = receiver(bucket, state, objects_per_poll=4, remembered=3)
    assert None is second.poll()
    assert batches[4:6] == emitted(second)

    bucket.put("logs/40.binpb", batches[6])  # late, and sorts before the last
    bucket.put("logs/6.binpb", batches[7])
    second.poll()
    second.poll()
    assert batches[4:] == emitted(second)


def test_a_long_listing_is_read_to_its_end(bucket: Bucket) -> None:
    """
    More objects than one listing holds are all found.
    """
    batch = bytes(BATCHES[2])
    for number in range(5):
        bucket.put(f"logs/{number}", batch)

    def two_at_a_time(request: Request) -> Response:
        if "list-type" not in request.url:
            return bucket.send(request)
        return bucket.send(Request(request.method, f"{request.url}&max-keys=2"))

    read = receiver(bucket, {})
    read.http = two_at_a_time
    read.poll()

    assert [batch] * 5 == emitted(read)
    assert 3 == sum("list-type" in request.url for request in read.requested)


def test_what_is_no_batch_is_passed_over(bucket: Bucket) -> None:
    """
    Objects that cannot be read are logged, stay in the bucket, and hold nothing up.
    """
    state: dict[str, bytes] = {}
    objects = {
        "logs/a": b"\xff",
        "logs/b.gz": b"no gzip",
        "logs/c.gz": gzip.compress(bytes(BATCHES[2]))[:-9],
        "notes.txt": b"hello",
        "logs/d": bytes(BATCHES[2]),
    }
    for key, body in objects.items():
        bucket.put(key, body)
    read = receiver(bucket, state)

    read.poll()
    read.poll()

    assert [bytes(BATCHES[2])] == emitted(read)
    assert ["logs/a", "logs/b.gz", "logs/c.gz", "notes.txt"] == [
        line.message.partition(" ")[0] for line in read.logged
    ]
    assert sorted(objects) == keys_in(bucket) == json.loads(state["progress"])["done"]


def test_a_pipeline_that_is_full_loses_nothing(bucket: Bucket) -> None:
    """
    An object that the pipeline does not take now is read again in the next poll.
    """
    bucket.put("logs/a", bytes(BATCHES[2]))
    read = receiver(bucket, {})
    read.refuse_with = Retryable("full")
    with pytest.raises(Retryable, match="full"):
        read.poll()
    read.refuse_with = None

    read.poll()

    assert [bytes(BATCHES[2])] == emitted(read)


@pytest.mark.parametrize(
    "answer", [Response(403, "<Code>AccessDenied</Code>"), Refused("not allowed"), Failed("reset")]
)
def test_no_object_is_to_blame_for_the_server(answer: Response | Exception) -> None:
    """
    Where the server does not give an object, it is not passed over.
    """
    listing = "<R><Contents><Key>logs/a</Key></Contents></R>"

    def http(request: Request) -> Response:
        if "list-type" in request.url:
            return Response(200, listing)
        if isinstance(answer, Exception):
            raise answer
        return answer

    read = trial("s3-receiver", config={"bucket_url": FAKE}, http=http, state={})

    with pytest.raises(Retryable):
        read.poll()
    assert "progress" not in (read.state or {})


def test_the_bucket_that_is_not_there_is_permanent(s3: str) -> None:
    """
    What S3 refuses for good is permanent, with its reason.
    """
    nowhere = Bucket(f"{s3}/nowhere")

    with pytest.raises(Permanent, match="answered 404 NoSuchBucket: "):
        exporter(nowhere).send(BATCHES[0])
    nowhere.close()


@pytest.mark.parametrize(
    "answer",
    [
        Response(503, "<Error><Code>SlowDown</Code><Message>Reduce</Message></Error>"),
        Response(500, ""),
        Response(400, "<Error><Code>RequestTimeout</Code><Message>idle</Message></Error>"),
        Failed("connection reset"),
    ],
)
def test_what_may_pass_is_retryable(answer: Response | Exception) -> None:
    """
    Throttling and trouble of the server's are retryable.
    """

    def http(request: Request) -> Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(Retryable):
        trial("s3-exporter", config={"bucket_url": FAKE}, http=http).send(BATCHES[0])
