"""
Run a Collector, or otelwasm, as a process of its own, and read what it uses.

Both get the same configuration but for the name of the step that sets the attribute.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Ports", "UnderTest"]

_CONFIG = """\
receivers:
  otlp/grpc: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{inward.grpc}"}}}}}}
  otlp/http: {{protocols: {{http: {{endpoint: "127.0.0.1:{inward.http}"}}}}}}
processors:
  batch: {{timeout: 200ms, send_batch_size: 8192}}
  {step}
exporters:
  otlp_grpc:
    endpoint: "127.0.0.1:{outward.grpc}"
    compression: none
    tls: {{insecure: true}}
  otlp_http:
    endpoint: "http://127.0.0.1:{outward.http}"
    compression: none
service:
  telemetry: {telemetry}
  pipelines:
    traces/grpc: {{receivers: [otlp/grpc], processors: [{order}], exporters: [otlp_grpc]}}
    traces/http: {{receivers: [otlp/http], processors: [{order}], exporters: [otlp_http]}}
"""
_ATTRIBUTES = "attributes: {actions: [{key: env, value: prod, action: upsert}]}"
_PATIENCE_S = 60
_TICKS_S = os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Ports:
    """
    Where one side listens.
    """

    grpc: int
    http: int

    @classmethod
    def free(cls) -> "Ports":
        """
        Find two that nobody listens on now.
        """
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            return cls(one.getsockname()[1], two.getsockname()[1])


class UnderTest:
    """
    A running pipeline: OTLP in, (batch,) set an attribute, OTLP out.
    """

    def __init__(self, name: str, process: "subprocess.Popen[Any]", ports: Ports) -> None:
        self.name = name
        self.ports = ports
        self.pid = process.pid

    @classmethod
    @contextmanager
    def collector(
        cls, program: Path, folder: Path, *, outward: Ports, batched: bool
    ) -> Iterator["UnderTest"]:
        """
        Run the Collector; its own metrics are off, as ours are served nowhere by default.
        """
        inward = Ports.free()
        text = _CONFIG.format(
            inward=inward,
            outward=outward,
            step=_ATTRIBUTES,
            telemetry="{metrics: {level: none}}",
            order="batch, attributes" if batched else "attributes",
        )
        command = [str(program), "--config", f"file:{_written(folder, text, 'collector', batched)}"]
        with cls._running("Collector", command, folder, inward) as running:
            yield running

    @classmethod
    @contextmanager
    def otelwasm(
        cls, plugin: Path | None, folder: Path, *, outward: Ports, batched: bool
    ) -> Iterator["UnderTest"]:
        """
        Run otelwasm with a plugin, or as a bare relay.
        """
        inward = Ports.free()
        steps = ["batch"] * batched + ["wasm/env"] * (plugin is not None)
        text = _CONFIG.format(
            inward=inward,
            outward=outward,
            step="" if plugin is None else f"wasm/env: {{plugin: {plugin}}}",
            telemetry="{}",
            order=", ".join(steps),
        )
        name = "relay" if plugin is None else "otelwasm"
        path = _written(folder, text, name, batched)
        command = [sys.executable, "-m", "otelwasm", "run", str(path)]
        with cls._running(name, command, folder, inward) as running:
            yield running

    @classmethod
    @contextmanager
    def _running(
        cls, name: str, command: list[str], folder: Path, ports: Ports
    ) -> Iterator["UnderTest"]:
        log = folder / f"{name}.log"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with (
            log.open("ab") as output,
            subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=output, env=environment
            ) as process,
        ):
            try:
                for port in (ports.grpc, ports.http):
                    _wait_until_open(process, port, log)
                yield cls(name, process, ports)
            finally:
                process.terminate()
                try:
                    process.wait(_PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()

    def port(self, protocol: str) -> int:
        """
        Where it takes requests over `grpc` or `http`.
        """
        return self.ports.grpc if protocol == "grpc" else self.ports.http

    def cpu_s(self) -> float:
        """
        Read how much processor time all its threads have used.
        """
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_S

    def threads(self) -> dict[int, tuple[str, int]]:
        """
        Read each thread's name and the nanoseconds of processor time that it has used.
        """
        used = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                nanoseconds = int((task / "schedstat").read_text().split()[0])
                used[int(task.name)] = ((task / "comm").read_text().strip(), nanoseconds)
            except OSError:  # it ended meanwhile
                continue
        return used

    def memory_mib(self) -> float:
        """
        Read how much memory is resident now.
        """
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None, status
        return int(found[1]) / 1024


def _written(folder: Path, text: str, name: str, batched: bool) -> Path:
    path = folder / f"{name}{'-batch' * batched}.yaml"
    path.write_text(text)
    return path


def _wait_until_open(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise RuntimeError(f"{process.args} does not listen on port {port}:\n{tail}")
