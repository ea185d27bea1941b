"""
The examples work as components in whole pipelines, at real sockets, with real peers.
"""

import asyncio
import contextlib
import hmac
import json
import logging.handlers
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import prometheus_client
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from guests.examples import source_of
from guests.s3 import ACCESS_KEY, SECRET_KEY, Bucket
from otelwasm.build import build
from otelwasm.plugins.component import Component
from otelwasm.registry import Registry
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from otelwasm_sdk import Logs, Metrics, Traces
from otelwasm_sdk.http import Request
from pipeline.fakes import a_batch, in_a_loop, registry_for_wasm
from pipeline.receiving import ask, send_lines
from unit.otlp.peers import Inbox, receiving


def plugin(name: str, **settings: object) -> dict[str, object]:
    """
    The settings of one example. Building and compiling it may take longer than a test in a loop
    has: it is done before.
    """
    path = build(source_of(name))
    Component.load(path, name=name)
    return {"plugin": str(path), **settings}


def kinds() -> Registry:
    """
    Receivers and exporters in memory, and all kinds of plugins.
    """
    found = registry_for_wasm()
    wasm = Registry.built_in().exporters["wasm"]
    return attrs.evolve(found, exporters={**found.exporters, "wasm": wasm})


@contextlib.asynccontextmanager
async def running(
    folder: Path, *, pipelines: dict[str, Any], **parts: Any
) -> AsyncIterator[Pipeline]:
    """
    Run *pipelines* of *parts*: receivers, processors and exporters by their names.
    """
    parts.setdefault("exporters", {})["memory"] = {}
    service = {
        "pipelines": pipelines,
        "quarantine": {"directory": str(folder / "quarantine")},
        "state": {"directory": str(folder / "state")},
        "shutdown_timeout": "10s",
    }
    async with Pipeline({**parts, "service": service}, registry=kinds()) as pipeline:
        yield pipeline


def granted(url: str, *methods: str, **entry: object) -> dict[str, object]:
    """
    The capability `http` for the URLs that begin with *url*.
    """
    return {"http": {"allow": [{"url": url, "methods": list(methods) or ["GET"], **entry}]}}


def test_webhooks_arrive_as_logs(tmp_path: Path) -> None:
    """
    A signed webhook is answered with 202 and becomes a log record; a forged one gets 401.
    """
    receivers = {
        "wasm/webhook": plugin(
            "webhook", config={"github_secret": "s3cret"}, listen={"http": "127.0.0.1:0"}
        )
    }

    @in_a_loop
    async def scenario() -> None:
        logs = {"receivers": ["wasm/webhook"], "exporters": ["memory"]}
        async with running(tmp_path, receivers=receivers, pipelines={"logs": logs}) as pipeline:
            port = pipeline.receiver("wasm/webhook").http_port
            body = json.dumps({"action": "opened"}).encode()
            digest = hmac.digest(b"s3cret", body, "sha256").hex()
            headers = {"X-GitHub-Event": "issues", "X-Hub-Signature-256": f"sha256={digest}"}

            taken = await ask(port, body, target="/github", **headers)
            forged = await ask(port, body + b" ", target="/github", **headers)

            assert (202, 401) == (taken.status, forged.status)
            [batch] = await pipeline.exporter("memory").received(1)
            [record] = Logs(batch.payload).log_records()
            assert ("github.issues", {"action": "opened"}) == (record.event_name, record.body)

    scenario()


def test_syslog_arrives_by_udp_and_tcp(tmp_path: Path) -> None:
    """
    Datagrams and both framings of tcp become log records.
    """
    listen = {
        "udp": "127.0.0.1:0",
        "tcp": {"endpoint": "127.0.0.1:0", "framing": "auto"},
    }

    receivers = {"wasm/syslog": plugin("syslog", listen=listen)}

    @in_a_loop
    async def scenario() -> None:
        logs = {"receivers": ["wasm/syslog"], "exporters": ["memory"]}
        async with running(tmp_path, receivers=receivers, pipelines={"logs": logs}) as pipeline:
            syslog = pipeline.receiver("wasm/syslog")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"<11>1 - h a - - - udp", ("127.0.0.1", syslog.udp_port))
            await send_lines(
                syslog.tcp_port, b"<11>1 - h a - - - line 1\n<11>Oct 11 22:14:15 h a: 2\n"
            )
            counted = [b"<11>1 - h a - - - counted\n1", b"<11>1 - h a - - - counted 2"]
            await send_lines(
                syslog.tcp_port, b"".join(b"%d %s" % (len(each), each) for each in counted)
            )

            batches = await pipeline.exporter("memory").received(5)

            records = [record for batch in batches for record in Logs(batch.payload).log_records()]
            assert {"udp", "line 1", "2", "counted\n1", "counted 2"} == {
                record.body for record in records
            }
            assert {("h", "a", 17)} == {
                (
                    record.resource.attributes["host.name"],
                    record.resource.attributes["service.name"],
                    record.severity_number,
                )
                for record in records
            }

    scenario()


def test_pythons_own_syslog_handler_is_understood(tmp_path: Path) -> None:
    """
    What `logging.handlers.SysLogHandler` sends is a record with its severity and text.
    """
    receivers = {"wasm/syslog": plugin("syslog", listen={"udp": "127.0.0.1:0"})}

    @in_a_loop
    async def scenario() -> None:
        logs = {"receivers": ["wasm/syslog"], "exporters": ["memory"]}
        async with running(tmp_path, receivers=receivers, pipelines={"logs": logs}) as pipeline:
            address = ("127.0.0.1", pipeline.receiver("wasm/syslog").udp_port)
            with contextlib.closing(logging.handlers.SysLogHandler(address)) as handler:
                handler.handle(logging.makeLogRecord({"msg": "disk full", "levelname": "ERROR"}))

            [batch] = await pipeline.exporter("memory").received(1)

            [record] = Logs(batch.payload).log_records()
            assert ("disk full", 17) == (record.body, record.severity_number)

    scenario()


@pytest.fixture
def endpoint() -> Iterator[str]:
    """
    A real Prometheus endpoint with one counter.
    """
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("requests", "Requests", registry=registry).inc(7)
    server, thread = prometheus_client.start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_prometheus_endpoint_is_scraped(tmp_path: Path, endpoint: str) -> None:
    """
    On its schedule, a real endpoint that the configuration allows is scraped; others are down.
    """
    receivers = {
        "wasm/scrape": plugin(
            "prometheus-scraper",
            config={"targets": [endpoint, "http://127.0.0.1:9/metrics"]},
            poll_interval="1h",
            capabilities=granted(endpoint),
        )
    }

    @in_a_loop
    async def scenario() -> None:
        route = {"receivers": ["wasm/scrape"], "exporters": ["memory"]}
        async with running(tmp_path, receivers=receivers, pipelines={"metrics": route}) as pipeline:
            batches = await pipeline.exporter("memory").received(2)

            first, second = (
                {metric.name: metric.data_points[0].value for metric in batch.metrics()}
                for batch in (Metrics(batch.payload) for batch in batches)
            )
            assert {"up": 1.0, "requests_total": 7.0}.items() <= first.items()
            assert (0.0, False) == (second["up"], "requests_total" in second)

    scenario()


def test_plugins_on_both_ends_and_between(tmp_path: Path) -> None:
    """
    A span of OpenTelemetry's SDK passes a receiver, a processor and an exporter, all plugins.
    """

    receiver = plugin("otlp-receiver", listen={"http": "127.0.0.1:0"})
    hashing = plugin("attributes", config={"actions": [{"key": "user", "action": "hash"}]})
    exporter = plugin("otlp-http-exporter")

    @in_a_loop
    async def scenario() -> None:
        inbox = Inbox()
        async with receiving(inbox) as behind:
            endpoint = f"http://127.0.0.1:{behind.http_port}"
            sending = {
                "config": {"endpoint": endpoint, "compression": "gzip"},
                "capabilities": granted(f"{endpoint}/v1/", "POST"),
            }
            parts: dict[str, Any] = {
                "receivers": {"wasm/in": receiver},
                "processors": {"wasm/attributes": hashing},
                "exporters": {"wasm/out": exporter | sending},
            }
            traces = {
                "receivers": ["wasm/in"],
                "processors": ["wasm/attributes"],
                "exporters": ["wasm/out", "memory"],
            }
            async with running(tmp_path, pipelines={"traces": traces}, **parts) as pipeline:
                port = pipeline.receiver("wasm/in").http_port

                def send() -> None:
                    provider = TracerProvider()
                    sender = OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces")
                    provider.add_span_processor(SimpleSpanProcessor(sender))
                    with provider.get_tracer("test").start_as_current_span("hello") as span:
                        span.set_attribute("user", "ada")
                    provider.shutdown()

                await asyncio.to_thread(send)
                await asyncio.wait_for(inbox.arrived.wait(), 10)
            [payload] = inbox.payloads(Signal.TRACES)
            [span] = Traces(payload).spans()
            assert ("hello", 64) == (span.name, len(span.attributes["user"]))

    scenario()


def test_batches_go_to_s3_and_come_back(tmp_path: Path, s3: str) -> None:
    """
    One pipeline keeps batches in a real S3 server, the other reads them; the host signs for both.
    """
    bucket = Bucket(f"{s3}/both-ways")
    assert 200 == bucket.send(Request("PUT", bucket.url)).status
    bucket.close()
    sign = {
        "aws_sigv4": {
            "service": "s3",
            "region": "us-east-1",
            "access_key_id": ACCESS_KEY,
            "secret_access_key": SECRET_KEY,
        }
    }
    config = {"bucket_url": bucket.url, "prefix": "otel/"}
    http = granted(bucket.url, "GET", "PUT", sign=sign)
    parts: dict[str, Any] = {
        "receivers": {
            "memory": {},
            "wasm/from-s3": plugin(
                "s3-receiver",
                config=config,
                poll_interval="50ms",
                capabilities={**http, "state": {}},
            ),
        },
        "exporters": {"wasm/to-s3": plugin("s3-exporter", config=config, capabilities=http)},
    }
    pipelines = {
        "logs/there": {"receivers": ["memory"], "exporters": ["wasm/to-s3"]},
        "logs/back": {"receivers": ["wasm/from-s3"], "exporters": ["memory"]},
    }

    @in_a_loop
    async def scenario() -> None:
        async with running(tmp_path, pipelines=pipelines, **parts) as pipeline:
            sent = [a_batch(f"record {number}", signal=Signal.LOGS) for number in range(3)]
            for batch in sent:
                await pipeline.receiver("memory").receive(batch)

            back = await pipeline.exporter("memory").received(3)

            assert sorted(batch.payload for batch in sent) == sorted(
                batch.payload for batch in back
            )

    scenario()
