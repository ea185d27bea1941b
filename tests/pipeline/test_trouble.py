"""
Whatever happens around a program that runs, what it accepted is delivered or kept.
"""

import signal
import threading
import urllib.error
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, names_in
from pipeline.processes import free_port, read_until, running, send

# Small enough to be full while the other side is down.
CONFIG = """\
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
processors:
  batch: {{timeout: {wait_ms}ms, queue_size: 4KiB}}
exporters:
  otlp_http:
    endpoint: "http://127.0.0.1:{back}"
    sending_queue: {{queue_size: 4KiB}}
    retry_on_failure: {{initial_interval: 10ms, max_interval: 50ms}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [otlp_http]}}
  shutdown_timeout: 1s
"""


class Backend(ThreadingHTTPServer):
    """
    Takes what is sent to it, unless it is down: then it asks to come again.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.got: set[str] = set()
        self.is_down = threading.Event()
        super().__init__(("127.0.0.1", 0), _Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """
        Where it listens.
        """
        return int(self.server_address[1])


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """
        Note the names of the spans.
        """
        body = self.rfile.read(int(self.headers["content-length"]))
        backend = self.server
        assert isinstance(backend, Backend)
        is_down = backend.is_down.is_set()
        if not is_down:
            backend.got.update(names_in(Batch(Signal.TRACES, body)))
        self.send_response(503 if is_down else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """
        Say nothing.
        """


class Senders:
    """
    Four senders that go on until the program listens no more; they note what it accepted.
    """

    def __init__(self, port: int) -> None:
        self.accepted: set[str] = set()
        self._port = port
        self._refusals = 0
        self._change = threading.Condition()
        self._threads = [
            threading.Thread(target=self._send, args=[n], daemon=True) for n in range(4)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, *, accepted: int = 0, refusals: int = 0) -> None:
        """
        Wait until so many more spans are accepted, or requests refused.
        """
        with self._change:
            accepted += len(self.accepted) if accepted else 0
            refusals += self._refusals if refusals else 0
            assert self._change.wait_for(
                lambda: len(self.accepted) >= accepted and self._refusals >= refusals, timeout=60
            )

    def join(self) -> None:
        """
        Wait until nobody sends any more.
        """
        for thread in self._threads:
            thread.join(60)

    def _send(self, sender: int) -> None:
        count = 0
        while True:
            count += 1
            name = f"{sender}/{count}"
            try:
                status = send(self._port, a_batch(name).payload)
            except urllib.error.URLError as error:
                if isinstance(error.reason, ConnectionRefusedError):
                    return
                continue  # cut off as it stops: not accepted
            except OSError:
                continue
            with self._change:
                if status == 200:
                    self.accepted.add(name)
                else:
                    self._refusals += 1
                self._change.notify_all()


@pytest.mark.parametrize("is_down_at_the_end", [False, True])
def test_outage_overload_and_changes_lose_nothing(tmp_path: Path, is_down_at_the_end: bool) -> None:
    """
    The other side goes down until senders are refused, and comes back; the configuration changes
    meanwhile and under load; and under load the program stops, with the other side up or down.
    """
    backend, port = Backend(), free_port()

    def config(wait_ms: int) -> str:
        return CONFIG.format(port=port, back=backend.port, wait_ms=wait_ms)

    with running(tmp_path, config(5)) as process:
        senders = Senders(port)
        senders.wait_for(accepted=50)
        backend.is_down.set()
        senders.wait_for(refusals=5)
        (tmp_path / "p.yaml").write_text(config(6))
        process.send_signal(signal.SIGHUP)
        read_until(process, "looking for changes")
        backend.is_down.clear()
        read_until(process, "running with the changed configuration")
        senders.wait_for(accepted=50)
        if is_down_at_the_end:
            backend.is_down.set()
            senders.wait_for(refusals=5)
        process.send_signal(signal.SIGTERM)
        log = read_until(process, "stopped")
        code = process.wait(30)
    senders.join()
    backend.shutdown()
    backend.server_close()
    kept = {
        name
        for path in (tmp_path / "quarantine").glob("*.otlp")
        for name in names_in(Batch(Signal.TRACES, path.read_bytes()))
    }

    assert 0 == code
    assert set() == senders.accepted - backend.got - kept
    assert kept or not is_down_at_the_end
    assert "lost=" not in log.splitlines()[-1]
