"""
The configuration of a receiver plugin: short and long forms, and mistakes with their lines.
"""

from pathlib import Path

import pytest

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import ConfigError
from otelwasm.receivers.plugin import ListenConfig, ReceiverConfig
from otelwasm.receivers.plugin_http import HttpConfig
from otelwasm.receivers.tcp import TcpConfig
from otelwasm.receivers.udp import UdpConfig
from otelwasm.registry import Registry

FILE = """\
receivers:
  wasm/in:
    plugin: in.wasm
{keys}
exporters: {{debug: {{}}}}
service: {{pipelines: {{logs: {{receivers: [wasm/in], exporters: [debug]}}}}}}
"""


def read(folder: Path, *keys: str) -> ReceiverConfig:
    """
    Read a file whose receiver has *keys*, a line each.
    """
    (folder / "in.wasm").touch()
    text = FILE.format(keys="\n".join(f"    {key}" for key in keys))
    document = Document.parse(text, path=folder / "p.yaml")
    settings: ReceiverConfig = load(document, Registry.built_in()).receivers["wasm/in"].settings
    return settings


def test_addresses_alone_are_enough(tmp_path: Path) -> None:
    """
    Each protocol's address may stand in place of its keys.
    """
    config = read(tmp_path, 'listen: {http: "localhost:80", tcp: ":514", udp: "[::1]:514"}')

    assert config.listen == ListenConfig(
        HttpConfig("localhost:80"), TcpConfig(":514"), UdpConfig("[::1]:514")
    )
    assert config.poll_interval is None


def test_every_key_is_read(tmp_path: Path) -> None:
    """
    The long forms, with sizes and durations.
    """
    config = read(
        tmp_path,
        "listen:",
        "  http: {endpoint: ':80', max_request_body_size: 1MiB, read_timeout: 5s}",
        "  tcp:",
        "    endpoint: ':514'",
        "    framing: auto",
        "    max_message_size: 8KiB",
        "    max_connections: 7",
        "    idle_timeout: 0",
        "poll_interval: 15s",
        "retry_on_failure: {max_elapsed_time: 1m}",
    )

    assert config.listen == ListenConfig(
        HttpConfig(":80", max_request_body_size=ByteSize(1 << 20), read_timeout=Duration(5)),
        TcpConfig(
            ":514",
            framing="auto",
            max_message_size=ByteSize(8 << 10),
            max_connections=7,
            idle_timeout=Duration(0),
        ),
    )
    retry = config.retry_on_failure
    assert (15, 60, 1) == (config.poll_interval, retry.max_elapsed_time, retry.initial_interval)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            ["config: {}"],
            "2: receivers.wasm/in: nothing would call it: name listen, such as "
            '`listen: {http: "localhost:8088"}`, poll_interval, or both',
        ),
        (
            ["listen: {}"],
            "4: receivers.wasm/in.listen: name http, tcp or udp, such as "
            '`listen: {http: "localhost:8088"}`',
        ),
        (
            ["listen:", "  udp: 514"],
            "5: receivers.wasm/in.listen.udp: expected text, for the endpoint, or keys and values "
            "(endpoint), not 514",
        ),
        (
            ["listen:", "  http: localhost"],
            "5: receivers.wasm/in.listen.http.endpoint: expected host:port, such as "
            "localhost:4317, not 'localhost'",
        ),
        (
            ["listen:", "  tcp:", "    framing: auto"],
            "5: receivers.wasm/in.listen.tcp.endpoint: missing; this key has no default",
        ),
        (
            ["listen:", "  tcp:", "    endpoint: ':1'", "    framing: lines"],
            "7: receivers.wasm/in.listen.tcp.framing: expected one of newline, octet_counted, "
            "auto, not 'lines'",
        ),
        (
            ["listen: {tcp: ':1'}", "limits: {waiting: 256KiB}"],
            "2: receivers.wasm/in: limits.waiting, which is 256 KiB, has no room for a message of "
            "listen.tcp.max_message_size, which is 256 KiB (and 256 B around it); raise the one "
            "or lower the other",
        ),
        (
            ["listen: {http: {endpoint: ':1', max_request_body_size: 65MiB}}"],
            "2: receivers.wasm/in: limits.waiting, which is 64 MiB, has no room for a message of "
            "listen.http.max_request_body_size, which is 65 MiB",
        ),
        (["poll_interval: 0"], "4: receivers.wasm/in.poll_interval: expected at least 1ms, not 0s"),
        (
            ["listne: {http: ':80'}", "poll_interval: 1s"],
            "4: receivers.wasm/in.listne: unknown key; did you mean listen?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, keys: list[str], expected: str) -> None:
    """
    Each says what was expected, and how it is written.
    """
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, *keys)

    assert str(caught.value).startswith(f"{tmp_path}/p.yaml:{expected}")
