"""
What it costs a plugin to ask the host: `http.send` beside the network itself, state, log, meter.
"""

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack

from benchmark.guests import Guests
from benchmark.payloads import payload
from benchmark.rounds import in_turns, timed
from benchmark.session import Session
from benchmark.tables import Table, figure
from otelwasm.outbound.client import Client
from otelwasm.outbound.config import AllowConfig, HttpConfig
from otelwasm.plugins.capabilities.http import PluginHttp
from otelwasm.plugins.capabilities.state import PluginState

__all__ = ["capabilities"]

_REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_NETWORK = "the network alone: the same bytes on a bare socket"
_HOST = "the host's client: allowlist, pool, parser"
_PLUGIN = "plugin, http.post"
_IDLE = "plugin, nothing asked"


def capabilities(session: Session) -> Table:
    """
    Ask in turns, a small batch and a large one; the server is a process of its own.
    """
    table = Table(
        "What a Python plugin asks of the host",
        ["", "584 B, us", "428 KB, us", "CPU us, both"],
        notes=[
            "The server only counts bytes and answers `ok`. `set` is on the disk when it returns: "
            "its time is the disk's."
        ],
    )
    took = {}
    with ExitStack() as stack:
        guests = stack.enter_context(Guests.open(session.report))
        port = stack.enter_context(_Server()).port
        url = f"http://127.0.0.1:{port}/v1/traces"
        config = HttpConfig((AllowConfig(url, methods=("POST",)),))
        client = Client(config, plugin="bench")
        stack.callback(client.close)
        bare = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asking: dict[str, Callable[[bytes], object]] = {
            _NETWORK: lambda data: _on_bare_socket(bare, data),
            _HOST: lambda data: client.send("POST", url, headers=(), body=data, timeout_s=10),
            _IDLE: guests.instance("asks", "direct"),
            _PLUGIN: guests.instance(
                "asks", "direct", http=PluginHttp(config, plugin="bench"), ask="http", url=url
            ),
        }
        for ask, name in (("set", "state.set"), ("get", "state.get")):
            state = PluginState(session.folder / f"{ask}.sqlite", plugin="x", quota_bytes=1 << 20)
            state.set("key", payload(1))
            asking[f"plugin, {name}"] = guests.instance("asks", "direct", state=state, ask=ask)
        for ask, name in (("log", "log.info"), ("add", "meter.add")):
            asking[f"plugin, {name}"] = guests.instance("asks", "direct", ask=ask)
        for size, data in (("small", payload(1)), ("large", payload(1_000))):
            runs = {
                name: timed(lambda run=run, data=data: run(data)) for name, run in asking.items()
            }
            took[size] = in_turns(runs, seconds=session.seconds * 3)
    for name in asking:
        small, large = took["small"][name], took["large"][name]
        table.add(
            name,
            figure(small.elapsed_s * 1e6),
            figure(large.elapsed_s * 1e6),
            f"{figure(small.cpu_s * 1e6)} / {figure(large.cpu_s * 1e6)}",
        )
    return table


class _Server:
    """
    A process that reads requests with a content-length and answers them.
    """

    def __enter__(self) -> "_Server":
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _on_bare_socket(bare: socket.socket, data: bytes) -> None:
    head = f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {len(data)}\r\n\r\n".encode()
    bare.sendall(head + data)
    bare.recv(65536)


_SERVER = f"""
import socket, threading

def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    room = bytearray(1 << 20)
    while (count := connection.recv_into(room)):
        head, _, body = bytes(room[:min(count, 2000)]).partition(b"\\r\\n\\r\\n")
        left = int(head.lower().partition(b"content-length: ")[2].partition(b"\\r")[0])
        left -= count - len(head) - 4
        while left > 0:
            left -= connection.recv_into(room)
        connection.sendall({_REPLY!r})

listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
"""
