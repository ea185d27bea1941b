"""
Build and run what otelwasm is measured beside.

The Go programs lie in peers/; each is built once and kept in otelwasm's cache.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmark.rounds import Timed, Took
from benchmark.tables import LeftOut
from otelwasm.cache import cache_dir, making

__all__ = ["NativeGo", "extism", "go_program", "native_rewrite", "native_set_attribute"]

SOURCES = Path(__file__).parent / "peers"


def go_program(name: str, report: Callable[[str], None], *, is_guest: bool = False) -> Path:
    """
    Build peers/*name* if it was not built before; return the program, or the guest of Wasm.
    """
    go = shutil.which("go")
    if go is None:
        raise LeftOut("there is no Go on this machine (https://go.dev/dl/)")
    version = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256(version.encode())
    for file in [SOURCES / "go.mod", SOURCES / "go.sum", *sorted((SOURCES / name).glob("*.go"))]:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    program = cache_dir("peers", digest.hexdigest()[:32]) / name
    with making(program):
        if not program.exists():
            report(f"{name}: building with Go, which takes some minutes the first time")
            command = [
                go,
                "build",
                "-trimpath",
                "-ldflags",
                "-s -w",
                "-o",
                f"{program}.new",
                *(["-buildmode=c-shared"] if is_guest else []),
                f"./{name}",
            ]
            target = {"GOOS": "wasip1", "GOARCH": "wasm"} if is_guest else {}
            built = subprocess.run(
                command,
                cwd=SOURCES,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **target},
            )
            if built.returncode:
                raise LeftOut(f"{name} cannot be built: {built.stderr.strip().splitlines()[-1]}")
            os.replace(f"{program}.new", program)
    return program


class NativeGo:
    """
    The Collector's attributes processor as a process that waits for its turns.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @classmethod
    @contextmanager
    def running(cls, report: Callable[[str], None]) -> Iterator["NativeGo"]:
        """
        Run it, until the block ends.
        """
        program = go_program("attributes", report)
        with subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as process:
            try:
                yield cls(process)
            finally:
                process.kill()

    def on(self, path: Path) -> Timed:
        """
        Unmarshal, set an attribute of each span, and marshal the request in *path*.
        """
        orders, answers = self._process.stdin, self._process.stdout
        assert orders is not None and answers is not None

        def calls(count: int) -> Took:
            orders.write(f"{path} {count}\n")
            orders.flush()
            elapsed_ns, cpu_ns = answers.readline().split()
            return Took(int(elapsed_ns) / 1e9, int(cpu_ns) / 1e9)

        return calls


def extism(report: Callable[[str], None]) -> Callable[[bytes], object]:
    """
    Set an attribute of each span in a Go guest of Extism's, from its Python SDK.
    """
    try:
        from extism import Plugin
    except ImportError:
        raise LeftOut("Extism's Python SDK is not installed (pip install '.[bench]')") from None
    plugin = Plugin(go_program("extism", report, is_guest=True).read_bytes(), wasi=True)
    return lambda data: plugin.call("set_attribute", data)


def native_set_attribute(data: bytes) -> Callable[[], bytes]:
    """
    Parse, add an attribute to each span, serialize: CPython and protobuf's C core.
    """

    def run() -> bytes:
        request = ExportTraceServiceRequest.FromString(data)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    span.attributes.add(key="env").value.string_value = "prod"
        return request.SerializeToString()

    return run


def native_rewrite(data: bytes) -> Callable[[], bytes]:
    """
    Parse, read one attribute of each span and write another value, serialize.
    """

    def run() -> bytes:
        request = ExportTraceServiceRequest.FromString(data)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    for pair in span.attributes:
                        if pair.key == "url.path":
                            pair.value.string_value = "/v2" + pair.value.string_value
                            break
        return request.SerializeToString()

    return run
